import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'

/** Measures `octroi price` over many JSON Lines: lines a second, and the most memory it held.
 *
 *     node bench/price-lines.ts            a million lines; about two minutes
 *     node bench/price-lines.ts --short    a hundred thousand
 *
 * The lines are written to a temporary file first, and removed after. Memory is constant when the second half of the
 * lines needs no more than the first: so each form is run over a tenth of the lines as well. */

const lines = process.argv.includes('--short') ? 100_000 : 1_000_000
const target = 200

const launcher = fileURLToPath(new URL('../bin/octroi.mjs', import.meta.url))
const atExit = "process.on('exit', () => process.stderr.write('rss ' + process.resourceUsage().maxRSS))"

const models = [
  ['openai', 'gpt-4o'],
  ['openai', 'gpt-5.5'],
  ['anthropic', 'claude-sonnet-5'],
  ['google', 'gemini-3.5-flash'],
] as const

/** Calls as a log would have them: four vendors' models over ninety days, four meters each, all of other sizes. */
const lineOf = (index: number): string => {
  const [provider, model] = models[index % models.length] ?? models[0]
  const at = new Date(
    Date.UTC(2026, 7, 25) + (index % 90) * 86_400_000 + (index % 86_400) * 1000,
  ).toISOString()
  const usage = {
    input_text_tokens: 1000 + ((index * 7) % 50_000),
    cached_input_tokens: 500 + ((index * 13) % 50_000),
    output_text_tokens: 100 + (index % 4000),
    output_reasoning_tokens: 1 + ((index * 3) % 8000),
  }
  return `${JSON.stringify({ provider, model, at, usage })}\n`
}

const writeLines = async (file: string, count: number): Promise<void> => {
  const stream = createWriteStream(file)
  for (let start = 0; start < count; start += 1000) {
    const part = Array.from({ length: Math.min(1000, count - start) }, (_, index) => lineOf(start + index))
    if (!stream.write(part.join(''))) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}

type Run = { readonly seconds: number; readonly rssMegabytes: number; readonly answers: number }

/** Runs the command as a person would, in a process of its own, and takes what it prints through a pipe. `slow`: the
 * reader pauses for so many milliseconds after each megabyte. */
const run = (args: readonly string[], slow = 0): Promise<Run> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    const hook = `data:text/javascript,${encodeURIComponent(atExit)}`
    const child = spawn(process.execPath, ['--import', hook, launcher, 'price', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [answers, taken, told] = [0, 0, '']
    child.stdout.on('data', (chunk: Buffer) => {
      for (const byte of chunk) if (byte === 10) answers += 1
      taken += chunk.length
      if (slow === 0 || taken < 1_048_576) return
      taken = 0
      child.stdout.pause()
      setTimeout(() => child.stdout.resume(), slow)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const rss = /rss (\d+)/.exec(told)?.[1]
      if (code !== 0 || rss === undefined) reject(new Error(`octroi price ended with ${code}: ${told}`))
      else resolve({ seconds: (performance.now() - begun) / 1000, rssMegabytes: Number(rss) / 1024, answers })
    })
  })

const folder = mkdtempSync(join(tmpdir(), 'octroi-price-lines-'))
try {
  const [file, tenth] = [join(folder, 'all.jsonl'), join(folder, 'tenth.jsonl')]
  await writeLines(file, lines)
  await writeLines(tenth, lines / 10)
  console.log(
    `${lines.toLocaleString('en')} lines, ${(statSync(file).size / 1_048_576).toFixed(0)} MB, a process for each run`,
  )
  const forms = [
    { name: 'JSON Lines', args: ['--json'], slow: 0 },
    { name: 'JSON Lines, a slow reader', args: ['--json'], slow: lines > 100_000 ? 20 : 50 },
    { name: 'a table', args: [], slow: 0 },
  ]
  for (const { name, args, slow } of forms) {
    const small = await run([...args, tenth], slow)
    const { seconds, rssMegabytes, answers } = await run([...args, file], slow)
    if (args.includes('--json') && answers !== lines) throw new Error(`${name}: ${answers} answers`)
    console.log(
      `${name}: ${Math.round(lines / seconds).toLocaleString('en')} lines a second; ` +
        `at most ${rssMegabytes.toFixed(0)} MB (over a tenth of the lines ${small.rssMegabytes.toFixed(0)} MB)`,
    )
    if (rssMegabytes > target) {
      console.log(`more than ${target} MB`)
      process.exitCode = 1
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
