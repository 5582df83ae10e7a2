import type { Encoding } from '../../src/tokens/model-family.ts'
import { loadEncoding } from '../../src/tokens/text.ts'

/** Loads one encoding in a process of its own, and prints what that took: `node bench/tokens/load.ts o200k_base`. */

const encodings: readonly Encoding[] = [
  'cl100k_base',
  'o200k_base',
  'o200k_harmony',
  'p50k_base',
  'r50k_base',
]
const encoding = encodings.find((name) => name === process.argv[2])
if (encoding === undefined) throw new Error(`Name one of ${encodings.join(', ')}.`)

const memory = process.memoryUsage().rss
const processor = process.cpuUsage()
const start = performance.now()
const counter = await loadEncoding(encoding)
const wall = performance.now() - start
const { user, system } = process.cpuUsage(processor)
const megabytes = (process.memoryUsage().rss - memory) / 1e6
if (counter.count('hello world') !== 2) throw new Error(`${encoding} does not count`)
console.log(JSON.stringify({ wall, cpu: (user + system) / 1000, megabytes }))
