import { describe, expect, it } from 'vitest'
import { tally } from './test.ts'

const report = {
  numPassedTests: 7,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [{ status: 'passed', assertionResults: [{}] }],
}

describe('the closing line of the tests', () => {
  it('counts what the report counts', () => {
    expect(tally(report, 0)).toEqual({ passed: 7, failed: 0, skipped: 2 })
    expect(tally({ ...report, numFailedTests: 3 }, 1)).toEqual({ passed: 7, failed: 3, skipped: 2 })
  })

  it('counts a file that could not be loaded as one failure', () => {
    const broken = [...report.testResults, { status: 'failed', assertionResults: [] }]
    expect(tally({ ...report, testResults: broken }, 1)).toEqual({ passed: 7, failed: 1, skipped: 2 })
  })

  it('never says 0 failed when the runner failed', () => {
    expect(tally(report, 1).failed).toBe(1)
    expect(tally(null, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })
})
