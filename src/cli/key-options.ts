import type { Command as Parser } from 'commander'
import { OctroiError } from '../errors.ts'

type Options = Readonly<Record<string, unknown>>

const owner = ['name', 'organization', 'team', 'project', 'environment'] as const

/** Declares whom a key belongs to and what it may do. */
export const keyOptions = (parser: Parser): void => {
  parser
    .option('--name <name>', 'what the key is for')
    .option('--organization <name>')
    .option('--team <name>')
    .option('--project <name>')
    .option('--environment <name>')
    .option('--models <patterns>', 'the only models it may use, as gpt-4o,o3-*; "any" for all')
    .option('--endpoints <ids>', 'the only endpoints it may use, as chat-completions,embeddings; "any"')
    .option('--expires <instant>', 'when it ends to open anything; "never"')
    .option('--tags <pairs>', 'tags of all its calls, as product=search,stage=beta; "none"')
    .option('--allow-unmetered <yes|no>', 'whether it may use paths that are not metered')
    .option(
      '--on-ledger-failure <what>',
      'its calls while the ledger cannot be written: refuse, or spool=5.00 for that many USD',
    )
    .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
    .option('--json', 'for machines')
}

/** What those options say, as the control plane takes it; what is not said is left out. Throws `bad_input`. */
export const keyBody = (options: Options): Readonly<Record<string, unknown>> => {
  const said = (name: string): string | undefined =>
    options[name] === undefined ? undefined : String(options[name])
  const body = {
    ...Object.fromEntries(owner.map((name) => [name, said(name)])),
    models: listOf(said('models')),
    endpoints: listOf(said('endpoints')),
    expiresAt: said('expires') === 'never' ? null : said('expires'),
    tags: tagsOf(said('tags')),
    allowUnmetered: yesOrNo(said('allowUnmetered')),
    onLedgerFailure: onLedgerFailure(said('onLedgerFailure')),
  }
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
}

/** Reads a time such as `90s`, `30m`, `24h` or `7d`, in seconds. Throws `bad_input`. */
export const secondsOf = (written: string): number => {
  const parts = /^(\d{1,7})([smhd])$/.exec(written)
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400 }[parts?.[2] ?? '']
  if (parts === null || unit === undefined) {
    throw new OctroiError(
      'bad_input',
      `"${written.slice(0, 40)}" is no length of time. Write 90s, 30m, 24h or 7d.`,
    )
  }
  return Number(parts[1]) * unit
}

const listOf = (written: string | undefined): readonly string[] | null | undefined =>
  written === undefined ? undefined : written === 'any' ? null : written.split(',').map((one) => one.trim())

const yesOrNo = (written: string | undefined): boolean | undefined => {
  if (written === undefined) return undefined
  if (written === 'yes' || written === 'no') return written === 'yes'
  throw new OctroiError('bad_input', `--allow-unmetered: "${written.slice(0, 40)}" is neither yes nor no.`)
}

const onLedgerFailure = (written: string | undefined): 'refuse' | { readonly spool: string } | undefined => {
  if (written === undefined || written === 'refuse') return written
  const [name, spool, ...rest] = written.split('=')
  if (name === 'spool' && spool !== undefined && rest.length === 0) return { spool: spool.trim() }
  throw new OctroiError(
    'bad_input',
    `--on-ledger-failure: "${written.slice(0, 40)}" is neither refuse nor an amount such as spool=5.00.`,
  )
}

const tagsOf = (written: string | undefined): Readonly<Record<string, string>> | undefined => {
  if (written === undefined || written === 'none') return written === undefined ? undefined : {}
  return Object.fromEntries(
    written.split(',').map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [name.trim(), value.join('=').trim()]
    }),
  )
}
