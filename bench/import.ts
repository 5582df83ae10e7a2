import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runImport } from '../src/cli/import.ts'
import { parseInstant } from '../src/time.ts'

/** How fast `octroi import` reads files of rows, end to end: read, gathered, held against the ledger, and durable.
 * `node bench/import.ts [rows] [litellm,focus,distinct,scattered]`. The first two come to few lines; of the others each
 * row is a line of its own, in the order of time and in none. */

const rows = Number(process.argv[2] ?? 1_000_000)
const wanted = process.argv[3]?.split(',') ?? ['litellm', 'focus']
const start = parseInstant('2026-10-01')
const monthMs = 31 * 86_400_000
const models = ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5', 'gemini-2.5-flash']

const pad = (value: number, width: number): string => `${value}`.padStart(width, '0')

const monthHours = monthMs / 3_600_000

/** A row of FOCUS in an hour of the month, of one of so many resources. */
const focusRow = (index: number, hour: number, resource: number): string => {
  const [from, to] = [hour, hour + 1].map((each) => new Date(start + each * 3_600_000).toISOString())
  const tokens = 1_000 + (index % 9973)
  return `${tokens / 4e5},acct-1,USD,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Usage,"Tokens, by the hour ${index}",${to},${from},${tokens},Tokens,${tokens / 4e5},${tokens / 4e5},${tokens / 1000},1K Tokens,OpenAI,us-east-1,res-${resource},AI and Machine Learning,Models,sku-${index % 4},${index % 2 === 0 ? 'input_text_tokens' : 'output_text_tokens'},proj-${index % 3},${models[index % 4]}`
}

const focus = {
  importer: 'focus',
  header:
    'BilledCost,BillingAccountId,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargeDescription,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,EffectiveCost,ListCost,PricingQuantity,PricingUnit,ProviderName,RegionId,ResourceId,ServiceCategory,ServiceName,SkuId,SkuMeter,SubAccountId,x_model',
} as const

const hourOf = (index: number): number => Math.floor((index / rows) * monthHours)

const files = {
  litellm: {
    importer: 'litellm-spend-logs',
    header:
      'request_id,call_type,api_key,spend,total_tokens,prompt_tokens,completion_tokens,startTime,endTime,model,custom_llm_provider,team_id,status',
    row: (index: number) => {
      const at = new Date(start + Math.floor((index / rows) * monthMs)).toISOString()
      const [input, output] = [100 + (index % 977), 10 + (index % 89)]
      return `chatcmpl-${pad(index, 28)},acompletion,key-${index % 12},${(input * 2.5 + output * 10) / 1e6},${input + output},${input},${output},${at},${at},${models[index % 4]},openai,team-${index % 3},success`
    },
  },
  focus: { ...focus, row: (index: number) => focusRow(index, hourOf(index), index % 12) },
  distinct: { ...focus, row: (index: number) => focusRow(index, hourOf(index), index) },
  scattered: { ...focus, row: (index: number) => focusRow(index, (index * 577) % monthHours, index) },
} as const

const write = async (
  file: string,
  { header, row }: Pick<(typeof files)[keyof typeof files], 'header' | 'row'>,
): Promise<void> => {
  const out = createWriteStream(file)
  out.write(`${header}\n`)
  for (let first = 0; first < rows; first += 1_000) {
    const count = Math.min(1_000, rows - first)
    const text = Array.from({ length: count }, (_, index) => `${row(first + index)}\n`).join('')
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'finish')
}

const io = {
  steadyHeap: () => setFlagsFromString('--semi-space-growth-factor=1'),
  stdin: Readable.from([]),
  out: () => {},
  err: () => {},
  color: false,
  environment: {},
  signal: new AbortController().signal,
}

const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-import-'))
try {
  for (const [name, { importer, ...shape }] of Object.entries(files)) {
    if (!wanted.includes(name)) continue
    const file = join(folder, `${name}.csv`)
    await write(file, shape)
    const { size } = await stat(file)
    for (const pass of ['first', 'again'] as const) {
      const began = performance.now()
      const cpu = process.cpuUsage()
      const { plan, outcome } = await runImport(
        {
          ...{ importer, file, period: { from: null, to: null }, account: 'bench', provider: 'openai' },
          ...{ mapping: undefined, owners: undefined, cost: 'billed', separator: undefined },
          ...{ repeatedRows: 'refuse', baseUrl: undefined, keyVariable: undefined, width: '1d' },
          ...{ pageSize: undefined, routes: undefined, data: join(folder, name), prices: undefined },
          ...{ at: parseInstant('2026-11-02'), isDryRun: false },
        },
        io,
      )
      const seconds = (performance.now() - began) / 1000
      const { user, system } = process.cpuUsage(cpu)
      console.log(
        `${name} ${pass}: ${rows.toLocaleString('en-US')} rows (${(size / 1e6).toFixed(0)} MB) into ${plan.lines.length.toLocaleString('en-US')} lines (${outcome.written} written, ${outcome.repeated} repeated) in ${seconds.toFixed(1)} s: ${Math.round(rows / seconds).toLocaleString('en-US')} rows a second (${Math.round((rows * 1e6) / (user + system)).toLocaleString('en-US')} a second of CPU), ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
      )
    }
  }
} finally {
  await rm(folder, { recursive: true })
}
