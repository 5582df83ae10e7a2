#!/usr/bin/env node
// The launcher. It is written in old syntax so that any Node that knows modules can parse it: when this one is
// too old, it hands over to the newer one installed beside the package, or says what to do.
import { spawn } from 'child_process'
import { existsSync } from 'fs'
import * as module from 'module'
import { dirname, join, resolve } from 'path'
import { fileURLToPath, pathToFileURL } from 'url'

const oldestNode = [22, 19]

const here = fileURLToPath(import.meta.url)
const root = resolve(dirname(here), '..')

const isNewEnough = (version) => {
  const [major, minor] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

/** Runs the command line in this process. A checkout runs its sources, whatever was built from them before. */
const run = () => {
  printAllWarningsButOne()
  const source = join(root, 'src', 'cli', 'main.ts')
  const built = join(root, 'dist', 'cli', 'main.js')
  if (existsSync(source)) keepWhatIsCompiled()
  import(pathToFileURL(existsSync(source) ? source : built).href)
    .then((module) => module.main(process.argv.slice(2)))
    .then(
      (exit) => {
        process.exitCode = exit
      },
      (error) => {
        console.error('octroi could not start.', error)
        process.exitCode = 1
      },
    )
}

/** Node strips the types of sources with WebAssembly, in each thread anew, and V8 13.6 is not sound where threads
 * begin and end WebAssembly at once (nodejs/node#64500). What is kept here is stripped once, for threads and programs
 * that this starts as well: a command starts in half the time, a thread in two thirds. */
const keepWhatIsCompiled = () => {
  const folder = process.env.NODE_COMPILE_CACHE || join(root, 'node_modules', '.cache', 'octroi', 'compiled')
  module.enableCompileCache(folder)
  process.env.NODE_COMPILE_CACHE = folder
}

/** Node calls its SQLite experimental in versions where we rely on it. That one warning is not for the people
 * who run this; every other is printed as Node prints it. */
const printAllWarningsButOne = () => {
  const printers = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && /SQLite/.test(warning.message)) return
    for (const print of printers) print.call(process, warning)
  })
}

const handOver = () => {
  const node = nodeBeside()
  if (node === undefined) {
    const needed = oldestNode.join('.')
    console.error(
      `octroi needs Node ${needed} or newer, and this is Node ${process.versions.node}.\n` +
        `Install a newer Node (https://nodejs.org), or run "npm install node@24" where octroi is installed.`,
    )
    process.exitCode = 1
    return
  }
  const child = spawn(node, [here].concat(process.argv.slice(2)), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`octroi could not start ${node}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code) => process.exit(code === null ? 1 : code))
}

/** The `node` package brings a Node of its own: in a checkout inside the package, else beside it. */
const nodeBeside = () => {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  return [join(root, 'node_modules'), join(root, '..')]
    .map((folder) => join(folder, 'node', 'bin', name))
    .find((place) => existsSync(place))
}

if (isNewEnough(process.versions.node)) run()
else handOver()
