import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import ranks from 'gpt-tokenizer/bpeRanks/o200k_base'
import { clearMergeCache, countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { get_encoding } from 'tiktoken'
import type { Encoding } from '../src/tokens/model-family.ts'
import { newCounter } from '../src/tokens/text.ts'
import { openVocabulary } from '../src/tokens/vocabulary.ts'
import { documents, hostileTexts, type Kind } from './tokens/documents.ts'

/** Measures how fast texts are counted, beside two other tokenizers: `node bench/tokens.ts`. About 40 seconds; 10 with
 * `--short`. All times are of the processor, since others share the machine. */

const short = process.argv.includes('--short')
const rounds = short ? 3 : 9
const bytes = short ? 400_000 : 2_000_000

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Milliseconds of this process' processor time. */
const cost = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const encoding = 'o200k_base'
const counter = newCounter(encoding, openVocabulary(ranks))
const oracle = get_encoding(encoding)
const plain = { disallowedSpecial: new Set<string>() }

/** Each counts one document and begins with empty caches. */
const counters = {
  octroi: (text: string) => {
    counter.forget()
    return counter.count(text)
  },
  'gpt-tokenizer': (text: string) => {
    clearMergeCache()
    return countTokens(text, plain)
  },
  tiktoken: (text: string) => oracle.encode_ordinary(text).length,
}
type Name = keyof typeof counters
const names: readonly Name[] = ['octroi', 'gpt-tokenizer', 'tiktoken']

const total = (name: Name, texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + counters[name](text), 0)

console.log(
  `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, ${encoding}, ${rounds} rounds in turn\n`,
)
console.log(
  'kind           documents      MB    tokens   octroi  gpt-tokenizer  tiktoken   of gpt-tokenizer  of tiktoken',
)
console.log(
  '                                             MB/s           MB/s      MB/s   (0.95 wanted)     (3 wanted)',
)
for (const kind of ['English prose', 'code', 'JSON'] satisfies Kind[]) {
  const texts = documents(kind, bytes)
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6
  const tokens = names.map((name) => total(name, texts))
  if (new Set(tokens).size > 1) throw new Error(`${kind}: counts differ: ${tokens.join(', ')}`)
  const milliseconds: Record<Name, number[]> = { octroi: [], 'gpt-tokenizer': [], tiktoken: [] }
  for (let round = 0; round < rounds; round++) {
    for (const name of names) milliseconds[name].push(cost(() => total(name, texts)))
  }
  const speed = (name: Name): string => ((size / median(milliseconds[name])) * 1000).toFixed(1)
  const times = (name: Name): string =>
    median(milliseconds.octroi.map((own, round) => (milliseconds[name][round] ?? 0) / own)).toFixed(2)
  console.log(
    `${kind.padEnd(13)}  ${String(texts.length).padStart(9)}  ${size.toFixed(2).padStart(6)}  ${String(tokens[0]).padStart(8)}  ` +
      `${speed('octroi').padStart(7)}  ${speed('gpt-tokenizer').padStart(13)}  ${speed('tiktoken').padStart(8)}  ` +
      `${times('gpt-tokenizer').padStart(17)}  ${times('tiktoken').padStart(11)}`,
  )
}

console.log('\none piece        100 KB, ms  1 MB, ms  times (15 at most)')
const long = hostileTexts(1_000_000)
for (const [name, text] of hostileTexts(100_000)) {
  const pairs = Array.from({ length: rounds }, () =>
    [text, long.get(name) ?? ''].map((each) => cost(() => counter.count(each))),
  )
  const [small, large] = [0, 1].map((which) => median(pairs.map((pair) => pair[which] ?? 0)))
  console.log(
    `${name.padEnd(15)}  ${(small ?? 0).toFixed(1).padStart(10)}  ${(large ?? 0).toFixed(1).padStart(8)}  ` +
      `${((large ?? 0) / (small ?? 1)).toFixed(1).padStart(18)}`,
  )
}

console.log('\nloading        ms (300 at most)  CPU ms  MB (80 at most)')
const loader = fileURLToPath(new URL('./tokens/load.ts', import.meta.url))
for (const name of ['o200k_base', 'cl100k_base', 'p50k_base', 'r50k_base'] satisfies Encoding[]) {
  const runs = Array.from({ length: short ? 1 : 5 }, (): { wall: number; cpu: number; megabytes: number } =>
    JSON.parse(execFileSync(process.execPath, [loader, name], { encoding: 'utf8' })),
  )
  const of = (figure: 'wall' | 'cpu' | 'megabytes'): string =>
    median(runs.map((run) => run[figure])).toFixed(0)
  console.log(
    `${name.padEnd(13)}  ${of('wall').padStart(16)}  ${of('cpu').padStart(6)}  ${of('megabytes').padStart(15)}`,
  )
}
