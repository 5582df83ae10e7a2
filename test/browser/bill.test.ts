import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { browserHelp, findBrowser } from '../../scripts/browser.ts'
import { readAsked } from '../../src/gateway/reporting/asked.ts'
import { type BillAnswered, billRoute } from '../../src/gateway/reporting/bill.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../src/ledger/ledger.ts'
import { parsePicos } from '../../src/money/money.ts'
import { type BillLanguage, billLanguages, createFormat } from '../../src/reports/bill/format.ts'
import { billPage } from '../../src/reports/bill/page.ts'
import { parseInstant } from '../../src/time.ts'
import { fillBill } from './bill.fixture.ts'

const executablePath = findBrowser()
if (executablePath === null) {
  if (process.env['CI'] === 'true') throw new Error(browserHelp)
  console.error(`${browserHelp} They are skipped.`)
}

// A browser beside other tests may take its time.
vi.setConfig({ testTimeout: 90_000 })

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let folder = ''
const pageOf = (language: BillLanguage): string => join(folder, `bill-${language}.html`)
let answered: BillAnswered
let browser: Browser

describe.skipIf(executablePath === null)('the page of a bill, in Chromium', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'octroi-page-'))
    const file = join(folder, 'ledger.sqlite')
    const ledger = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
    await fillBill(ledger)
    await ledger.close()
    const database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
    const clock = { now: () => parseInstant('2023-12-02T08:00:00Z') }
    const asked = readAsked(billRoute.asked, { month: '2023-11' })
    answered = await billRoute.read({ database, sealed: null, clock }, asked)
    await database.close()
    for (const language of billLanguages) {
      writeFileSync(pageOf(language), billPage(answered.bill, { language, ledger: file }))
    }
    browser = await chromium.launch({ executablePath: executablePath ?? '' })
  })
  afterAll(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true })
  })

  /** Opens a bill, and notes every request and every word on the console. */
  const open = async (
    language: BillLanguage,
    look: { readonly colorScheme?: 'light' | 'dark'; readonly width?: number } = {},
  ) => {
    const { colorScheme = 'light', width = 1_280 } = look
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } })
    const page = await context.newPage()
    const [requests, said]: [string[], string[]] = [[], []]
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    const address = pathToFileURL(pageOf(language)).href
    await page.goto(address)
    return { page, requests, said, address }
  }

  const violations = async (page: Page): Promise<readonly string[]> => {
    // `evaluate` runs in the page's own world, beside what its policy allows a page to load.
    const found: AxeResults = await page.evaluate(`${axe}; axe.run(document)`)
    expect(found.passes.length).toBeGreaterThan(20)
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }

  for (const language of billLanguages) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`breaks no rule of accessibility in ${language}, ${colorScheme}, folded up and opened`, async () => {
        const { page, requests, said, address } = await open(language, { colorScheme })
        expect(await violations(page)).toEqual([])
        await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
        expect(await violations(page)).toEqual([])
        expect([requests, said]).toEqual([[address], []])
        await page.context().close()
      })
    }

    it(`fits a width of 320 pixels in ${language}, which is 400 % of 1,280`, async () => {
      const { page } = await open(language, { width: 320 })
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
      expect(await violations(page)).toEqual([])
      await page.context().close()
    })

    it(`says in ${language} what the JSON says`, async () => {
      const { page } = await open(language)
      const json: { total: { totals: { amount: string }[] }; groups: { groups: { amount: string }[] } } =
        JSON.parse(JSON.stringify(billRoute.json(answered)))
      const { money } = createFormat(language, 'UTC')
      const shown = (amount: string | undefined): string => money(parsePicos(amount ?? ''), 'USD')
      expect(await page.locator('.amount').textContent()).toBe(shown(json.total.totals[0]?.amount))
      const text = (await page.locator('main').textContent()) ?? ''
      for (const { amount } of json.groups.groups) expect(text).toContain(shown(amount))
      expect(await page.getAttribute('html', 'lang')).toBe(language)
      await page.context().close()
    })
  }

  it('has its headings in order, and every drawing named or hidden', async () => {
    const { page } = await open('en')
    const levels: number[] = await page.evaluate(
      '[...document.querySelectorAll("h1,h2,h3,h4")].map((each) => Number(each.tagName.slice(1)))',
    )
    expect(levels[0]).toBe(1)
    for (const [index, level] of levels.entries()) {
      if (index > 0) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1)
    }
    const silent: number = await page.evaluate(
      '[...document.querySelectorAll("svg")].filter((each) => each.getAttribute("role") !== "img" && each.getAttribute("aria-hidden") !== "true").length',
    )
    expect(silent).toBe(0)
    await page.context().close()
  })

  it('names the others of a name that means harm, and runs nothing', async () => {
    const { page } = await open('en')
    expect(await page.locator('script').count()).toBe(0)
    expect(await page.locator('bdi', { hasText: '<script>alert(1)</script>' }).count()).toBeGreaterThan(0)
    await page.context().close()
  })

  it('has graphics with a contrast of 3 to what they stand on, in both themes', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open('en', { colorScheme })
      const colours: Record<string, string> = await page.evaluate(
        'Object.fromEntries(["paper","c0","c1","c2","c3","c4","edge","more","less"].map((name) => [name, getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim()]))',
      )
      const { paper = '', ...graphics } = colours
      for (const [name, colour] of Object.entries(graphics)) {
        expect([name, contrast(colour, paper) >= 3]).toEqual([name, true])
      }
      await page.context().close()
    }
  })

  it('prints on A4 with tables that break between their rows', async () => {
    const { page } = await open('fr', { colorScheme: 'dark' })
    const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    const box = /\/MediaBox\s*\[([\d. ]+)\]/
      .exec(pdf.toString('latin1'))?.[1]
      ?.trim()
      .split(/\s+/)
      .map(Number)
    // A4 in points: 210 x 297 mm.
    expect(box?.map(Math.round)).toEqual([0, 0, 595, 842])
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
    await page.context().close()
  })
})

/** The contrast of two colours such as #14507e (WCAG 2.2, relative luminance). */
const contrast = (a: string, b: string): number => {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

const luminance = (colour: string): number => {
  const digits =
    colour.length === 4 ? [...colour.slice(1)].map((digit) => digit + digit).join('') : colour.slice(1)
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(digits.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
