import { OctroiError } from '../errors.ts'
import { checkFocusFile } from '../gateway/reporting/focus-file.ts'
import type { FocusCheck } from '../reports/focus/check.ts'
import { focusFeatures } from '../reports/focus/check-columns.ts'
import type { FocusVersion } from '../reports/focus/columns.ts'
import { exportedFeatures } from '../reports/focus/layout.ts'
import type { Violation } from '../reports/focus/rules.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import { formatCount } from './reports.ts'

/** Exit code when a file breaks a rule. */
export const violatedExit = 3

/** Checks a file and says what breaks which rule. */
export const runFocusCheck = async (
  file: string,
  options: Readonly<Record<string, unknown>>,
  io: Pick<Io, 'out'>,
): Promise<number> => {
  const check = await checkFocusFile(file, {
    version: readFocusVersion(options),
    features: readFeatures(options['features']),
  })
  if (options['json'] === true) io.out(`${formatJson({ schema: 'octroi-focus-check/1', ...check })}\n`)
  else io.out(checkText(check))
  return check.count === 0 ? 0 : violatedExit
}

/** Reads `--focus-version`. Throws `bad_input`. */
export const readFocusVersion = (options: Readonly<Record<string, unknown>>): FocusVersion => {
  const version = String(options['focusVersion'])
  if (version === '1.2' || version === '1.4') return version
  throw new OctroiError('bad_input', `--focus-version is 1.4 or 1.2, not "${version.slice(0, 20)}".`)
}

/** What a check found, for people. */
export const checkText = (check: FocusCheck): string => {
  const { version, rows, count, violations } = check
  const of = `${formatCount(rows)} rows of FOCUS ${version}`
  if (count === 0) return `${of}: no rule is broken.\n`
  const rules = Object.entries(check.byRule).map(([rule, times]) => `${rule} ${formatCount(times)}`)
  const listed = count > violations.length ? `; the first ${violations.length} are listed` : ''
  return [
    ...violations.map(violationLine),
    `${of}: ${formatCount(count)} violations (${rules.join(', ')})${listed}.`,
    '',
  ].join('\n')
}

const violationLine = ({ rule, row, column, message }: Violation): string =>
  `${row === null ? 'file' : `row ${row}`}${column === null ? '' : `, ${column}`}: ${message} [${rule}]`

const readFeatures = (written: unknown): readonly string[] => {
  if (written === undefined) return exportedFeatures
  const features = String(written)
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'none')
  const wrong = features.find((name) => !focusFeatures.includes(name))
  if (wrong === undefined) return features
  throw new OctroiError(
    'bad_input',
    `--features cannot be "${wrong.slice(0, 60)}". Name some of: ${focusFeatures.join(', ')}; or none.`,
  )
}
