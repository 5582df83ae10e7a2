// Runs a task of this project on a machine with any Node and npm: `node scripts/run.mjs TASK [ARGUMENTS]`.
// It installs what is missing, finds a Node that is new enough, and runs the task under it.
// Written in old syntax, so that an old Node can parse it and say what is wrong.
import { spawn, spawnSync } from 'child_process'
import { existsSync, readFileSync } from 'fs'
import { delimiter, dirname, join, resolve } from 'path'
import { fileURLToPath } from 'url'

const oldestNode = [22, 19]

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** What each task runs under the newer Node; what was typed after the task's name follows. */
const tasks = {
  start: ['bin/octroi.mjs', 'demo'],
  test: ['scripts/test.ts'],
  check: ['scripts/check.ts'],
  build: ['scripts/build.ts'],
  generate: ['scripts/generate.ts'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write'],
  bench: ['scripts/bench.ts'],
  proof: ['scripts/proof.ts'],
  'prices:csv': ['scripts/export-prices-csv.ts'],
}

/** A failure whose message is all that a person needs. */
class Plain extends Error {}

/** Installs with npm when the installed packages are not those of the lock file. */
const installWhatIsMissing = () => {
  if (isInstalled()) return
  console.error('Installing what is missing (npm ci) ...')
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const result = npm(options)
  if (result.status !== 0 || !isInstalled()) {
    throw new Plain(
      'npm ci did not succeed: what it printed is above. It needs the npm registry, or a mirror of it ' +
        'that .npmrc names. When that is in order, run the same command again.',
    )
  }
}

/** npm writes what it installed beside it, last of all. Compares that with the lock file, version by version;
 * packages for other platforms may be absent. */
const isInstalled = () => {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === null)
    throw new Plain(`There is no package-lock.json in ${root}: the checkout is incomplete.`)
  if (present === null) return false
  return Object.keys(wanted)
    .filter((path) => path !== '')
    .every((path) =>
      present[path] === undefined
        ? wanted[path].optional === true
        : present[path].version === wanted[path].version,
    )
}

const packagesOf = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch (_) {
    return null
  }
}

/** Runs npm: the one that runs us, where there is one. What it prints goes to standard error, or nowhere. */
const npm = (args, output = 2) => {
  const script = process.env.npm_execpath
  const options = { cwd: root, stdio: ['ignore', output, output] }
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) {
    return spawnSync(process.execPath, [script].concat(args), options)
  }
  const windows = process.platform === 'win32'
  return spawnSync(windows ? 'npm.cmd' : 'npm', args, Object.assign(options, { shell: windows }))
}

/** A Node that is new enough: the one among the installed packages, else the one that runs this. */
const newerNode = () => {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const own = join(root, 'node_modules', 'node', 'bin', name)
  if (!isNewEnough(versionOf(own)) && !isNewEnough(process.versions.node)) placeNode()
  if (isNewEnough(versionOf(own))) return own
  if (isNewEnough(process.versions.node)) return process.execPath
  throw new Plain(
    `Octroi needs Node ${oldestNode.join('.')} or newer, and this is Node ${process.versions.node}.\n` +
      'The package "node" brings a newer one, but its install script has not run: install scripts are\n' +
      'disabled here, or it failed. Do one of these and run the same command again:\n' +
      '  npm rebuild node --ignore-scripts=false    lets that one script run\n' +
      '  install Node 24                            from https://nodejs.org or your system',
  )
}

/** Gives the install script of the package "node" a second chance: scripts may have been off when it was
 * installed and on now. What it prints matters only if it works, which is then looked at. */
const placeNode = () => {
  npm(['rebuild', 'node', '--loglevel=silent'], 'ignore')
}

const versionOf = (node) => {
  if (!existsSync(node)) return null
  const result = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return result.status === 0 ? result.stdout.trim().replace(/^v/, '') : null
}

const isNewEnough = (version) => {
  if (version === null) return false
  const [major, minor] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

/** Runs the task under that Node, which also stands first in PATH for whatever the task starts. All of it shares what
 * Node has compiled once (bin/octroi.mjs says why). */
const runTask = (node, task, args) => {
  const [script, ...fixed] = tasks[task]
  const PATH = [dirname(node), process.env.PATH].join(delimiter)
  const NODE_COMPILE_CACHE =
    process.env.NODE_COMPILE_CACHE || join(root, 'node_modules', '.cache', 'octroi', 'compiled')
  const child = spawn(node, [join(root, script)].concat(fixed, args), {
    cwd: root,
    stdio: 'inherit',
    env: Object.assign({}, process.env, { PATH, NODE_COMPILE_CACHE }),
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`${node} could not be started: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code) => process.exit(code === null ? 1 : code))
}

const main = ([task, ...args]) => {
  if (!Object.hasOwn(tasks, task)) {
    throw new Plain(`There is no task "${task}". There are: ${Object.keys(tasks).join(', ')}.`)
  }
  installWhatIsMissing()
  runTask(newerNode(), task, args)
}

try {
  main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Plain)) throw error
  console.error(error.message)
  process.exitCode = 1
}
