import { expect, it } from 'vitest'
import { reportText, rowsOf } from './proof-report.ts'

const results = {
  testResults: [
    {
      ...{ name: '/home/me/octroi/test/proof/budgets.test.ts', status: 'failed', message: '' },
      assertionResults: [
        {
          ...{ fullName: 'twenty calls fit', status: 'passed', duration: 1_540 },
          meta: { proof: { asked: '20 calls at once', found: '20 served' } },
        },
        { fullName: 'a cap is used up', status: 'failed', duration: 100 },
      ],
    },
    {
      ...{ name: '/home/me/octroi/test/proof/kill.test.ts', status: 'failed', message: 'Cannot be read.' },
      assertionResults: [],
    },
  ],
}

it('tells of each proof what was asked and found, and counts a file that cannot be read as failed', () => {
  const about = { machine: '2 x a processor', octroi: '1.2.3', commit: null, seed: '7' }
  expect(reportText(rowsOf(results), about)).toBe(`
test/proof/budgets.test.ts
  pass        1.5 s  twenty calls fit
                    asked: 20 calls at once
                    found: 20 served
  fail        0.1 s  a cap is used up

test/proof/kill.test.ts
  fail        0.0 s  (the whole file)
                    found: Cannot be read.

Machine: 2 x a processor
Octroi 1.2.3
Seed: 7
1 passed, 2 failed, 0 skipped`)
})
