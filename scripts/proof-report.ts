import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { machine } from '../bench/gateway/machine.ts'
import { root } from './step.ts'

/** What we read of vitest's JSON report. */
export type Results = {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly duration?: number | null
      readonly meta?: { readonly proof?: { readonly asked: string; readonly found: string } }
    }[]
  }[]
}

/** One line of the report: a proof, what was asked, what was found. */
export type Row = {
  readonly file: string
  readonly test: string
  readonly asked: string | null
  readonly found: string | null
  readonly result: 'pass' | 'fail' | 'skipped'
  readonly seconds: number
}

/** A row for each test, and one for a file that could not be read as tests. */
export const rowsOf = ({ testResults }: Results): readonly Row[] =>
  testResults.flatMap(({ name, status, message, assertionResults }): readonly Row[] => {
    const file = name.slice(name.lastIndexOf('/test/') + 1)
    if (assertionResults.length === 0 && status === 'failed') {
      return [{ file, test: '(the whole file)', asked: null, found: message, result: 'fail', seconds: 0 }]
    }
    return assertionResults.map((one) => ({
      ...{ file, test: one.fullName },
      asked: one.meta?.proof?.asked ?? null,
      found: one.meta?.proof?.found ?? null,
      result: one.status === 'passed' ? 'pass' : one.status === 'failed' ? 'fail' : 'skipped',
      seconds: Math.round(one.duration ?? 0) / 1_000,
    }))
  })

/** Where it ran, and what. */
export const circumstances = () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    machine: machine(),
    octroi: version,
    commit: commit(),
    seed: process.env.OCTROI_SEED ?? 'as written in the tests: every run draws the same',
  }
}

/** Null outside of a checkout of Git. */
const commit = (): string | null => {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return null
  }
}

/** The report for a person. */
export const reportText = (rows: readonly Row[], about: ReturnType<typeof circumstances>): string => {
  const files = [...new Set(rows.map(({ file }) => file))]
  const lines = files.flatMap((file) => [
    '',
    file,
    ...rows
      .filter((row) => row.file === file)
      .flatMap(({ test, asked, found, result, seconds }) => [
        `  ${result.padEnd(7)} ${seconds.toFixed(1).padStart(7)} s  ${test}`,
        ...(asked === null ? [] : [`${' '.repeat(20)}asked: ${asked}`]),
        ...(found === null ? [] : [`${' '.repeat(20)}found: ${found}`]),
      ]),
  ])
  const count = (result: Row['result']): number => rows.filter((row) => row.result === result).length
  return [
    ...lines,
    '',
    `Machine: ${about.machine}`,
    `Octroi ${about.octroi}${about.commit === null ? '' : `, commit ${about.commit}`}`,
    `Seed: ${about.seed}`,
    `${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped`,
  ].join('\n')
}
