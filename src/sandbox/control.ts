import { OctroiError } from '../errors.ts'
import type { Account } from './account.ts'
import type { BilledCall, BookRow, BookTotal } from './books.ts'
import { type Fault, type Faults, parseFault } from './faults.ts'
import type { Bill } from './now/bill.ts'
import { type BillFault, parseBillFault } from './now/bill-faults.ts'
import type { Standing } from './standing.ts'
import { isFields } from './world.ts'

/** What a sandbox tells about itself, and its faults. */
export type Control = {
  readonly books: () => readonly BookRow[]
  readonly total: () => BookTotal
  readonly calls: () => readonly BilledCall[]
  readonly standing: () => Standing
  readonly faults: Faults
  readonly account: Account
  readonly bill: Bill
}

/** Answers what lies under `/sandbox/`, where no vendor has anything; null where there is nothing.
 * Throws `bad_input` and `bad_json`. */
export const answerControl = (
  control: Control,
  { method, path, body }: { method: string; path: string; body: Buffer },
): unknown => {
  const { faults, bill } = control
  switch (`${method} ${path}`) {
    case 'GET /sandbox/books':
      return { rows: control.books(), total: control.total() }
    case 'GET /sandbox/standing':
      return control.standing()
    case 'GET /sandbox/calls':
      return { calls: control.calls() }
    case 'GET /sandbox/account':
      return control.account.shown()
    case 'POST /sandbox/payments':
      control.account.pay(payment(body))
      return control.account.shown()
    case 'GET /sandbox/faults':
      return { faults: faults.list() }
    case 'POST /sandbox/faults':
      faults.add(...readFaults(body))
      return { faults: faults.list() }
    case 'DELETE /sandbox/faults':
      faults.clear()
      return { faults: [] }
    case 'GET /sandbox/bill':
      return { lines: bill.lines() }
    case 'GET /sandbox/bill/faults':
      return { faults: bill.faults.list() }
    case 'POST /sandbox/bill/faults':
      bill.faults.add(...readBillFaults(body))
      return { faults: bill.faults.list() }
    case 'DELETE /sandbox/bill/faults':
      bill.faults.clear()
      return { faults: [] }
    default:
      return null
  }
}

const payment = (body: Buffer): unknown => {
  const value = parseJson(body, '{"usd": "50"}')
  return isFields(value) ? value['usd'] : undefined
}

/** One fault, or an array of them. */
const readFaults = (body: Buffer): readonly Fault[] => {
  const value = parseJson(body, 'a fault such as {"kind": "cut"}')
  return (Array.isArray(value) ? value : [value]).map(parseFault)
}

const readBillFaults = (body: Buffer): readonly BillFault[] => {
  const value = parseJson(body, 'a fault of the bill such as {"kind": "unbilled"}')
  return (Array.isArray(value) ? value : [value]).map(parseBillFault)
}

const parseJson = (body: Buffer, example: string): unknown => {
  try {
    return JSON.parse(body.toString())
  } catch {
    throw new OctroiError('bad_json', `The body is not JSON. Send ${example}.`)
  }
}
