import { parseLimit } from '../../../src/limits/parse-limit.ts'

/** Every kind of window, nested, and every way of counting; the month ends in Paris 15 seconds after a simulation begins.
 * `all` and `of a user` have the same to count, together and apart. */
const written = {
  month: { measure: 'cost', cap: '0.0000000004', window: { calendar: 'month', timeZone: 'Europe/Paris' } },
  team: { match: { team: 'a' }, measure: 'cost', cap: '0.00000000025', window: { calendar: 'total' } },
  user: { each: ['endUser'], measure: 'tokens', cap: '150', window: { rolling: '10m' } },
  rate: { measure: 'tokens', cap: '200', window: { bucket: '1m' } },
  'at once': { measure: 'concurrent', cap: '4' },
  watched: { measure: 'requests', cap: '3', window: { calendar: 'total' }, action: 'warn' },
  all: { measure: 'cost', cap: '1', window: { calendar: 'total' } },
  'of a user': { each: ['endUser'], measure: 'cost', cap: '1', window: { calendar: 'total' } },
} as const

const limitsWith = (changes: Readonly<Record<string, object | null>>) =>
  Object.entries({ ...written, ...changes }).flatMap(([name, limit]) =>
    limit === null ? [] : [parseLimit({ name, ...limit })],
  )

const { month, team, user, rate } = written

/** The limits that a simulation may begin with, and that may come in their place: of some the month is spent first, of
 * others the rate. */
export const variants = [
  limitsWith({}),
  limitsWith({
    month: { ...month, cap: '0.0000000003' },
    team: { ...team, cap: '0.0000000005' },
    rate: { ...rate, cap: '80' },
  }),
  limitsWith({ month: { ...month, cap: '0.00000000006' }, 'at once': { measure: 'concurrent', cap: '2' } }),
  limitsWith({
    team: null,
    user: { ...user, cap: '60', window: { calendar: 'hour' } },
    rate: { ...rate, each: ['team'] },
  }),
  limitsWith({
    month: { ...month, cap: '0.000000004' },
    team: { ...team, cap: '0.0000000025' },
    user: { ...user, cap: '700' },
    rate: { ...rate, cap: '60' },
    'at once': { measure: 'concurrent', cap: '12' },
  }),
  limitsWith({ month: null, monthly: month, team: { ...team, measure: 'tokens', cap: '250' } }),
] as const
