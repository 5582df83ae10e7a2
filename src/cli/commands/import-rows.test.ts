import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { bucket, completions, openImports, page } from '../import.fixture.ts'

let imports: Awaited<ReturnType<typeof openImports>>
const importing = (...asked: Parameters<typeof imports.importing>) => imports.importing(...asked)
const linesOf = () => imports.linesOf()
beforeEach(async () => {
  imports = await openImports()
})

const focusColumns =
  'BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ConsumedQuantity,ConsumedUnit,SkuMeter,x_model'
const usageRow =
  '1.5,USD,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,Usage,3,1K Tokens,input_text_tokens,gpt-4o'

describe('FOCUS', () => {
  it.each([',', ';', '\t', '|'])(
    'is read with %j between columns, with and without a byte order mark',
    async (separator) => {
      const text = `${focusColumns}\n${usageRow}\n`.replaceAll(',', separator)
      const bare = await importing('focus', text, '--provider', 'openai')
      expect(bare.said).toMatchObject({ written: 1, posted: [{ currency: 'USD', amount: '1.5' }] })
      expect((await importing('focus', `\ufeff${text}`, '--provider', 'openai')).said).toMatchObject({
        repeated: 1,
      })
      expect((await linesOf())[0]?.charges).toMatchObject([{ meter: 'input_text_tokens', quantity: 3000 }])
    },
  )

  it('takes credits off', async () => {
    const credit = '-0.4,USD,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,Credit,,,,'
    const { said } = await importing(
      'focus',
      `${focusColumns}\n${usageRow}\n${credit}\n`,
      '--provider',
      'openai',
    )
    expect(said.posted).toEqual([{ currency: 'USD', amount: '1.1' }])
  })

  it('posts an amount that comes with no use, and all of a credit, whatever requests stand beside it', async () => {
    const columns = `${focusColumns},x_requests`
    const fee = usageRow.replace('Usage,3,', 'Usage,0,')
    const credit = '-0.4,USD,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,Credit,,,,,7'
    const { said } = await importing('focus', `${columns}\n${fee},2\n${credit}\n`, '--provider', 'openai')
    expect(said.posted).toEqual([{ currency: 'USD', amount: '1.1' }])
    expect((await linesOf()).flatMap(({ charges }) => charges)).toMatchObject([
      { meter: 'request', quantity: 1, unitPrice: '1.5' },
      { meter: 'request', quantity: 1, unitPrice: '-0.4' },
    ])
  })

  describe('as Octroi exports it', () => {
    const columns =
      'EffectiveCost,BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ConsumedQuantity,ConsumedUnit,SkuMeter,Tags,x_Basis,x_Meter,x_ModelId,x_Project,x_ProviderId,x_Team'
    const row = (more: { readonly to?: string; readonly currency?: string; readonly tags?: string } = {}) => {
      const { to = '2026-03-01T01:00:00Z', currency = 'USD', tags = '"{""feature"":""top""}"' } = more
      return `0.3,0.0,${currency},2026-03-01T00:00:00Z,${to},Usage,0.5,GB-Days,Retrieval Gb Day,${tags},estimated,retrieval_gb_day,,rerank,openai,search`
    }

    it('says whose it is, by team, project and tags, and has periods that overlap and two currencies', async () => {
      const other = row({ to: '2026-03-01T02:00:00Z', tags: '"{""organization"":""acme"",""key"":""k""}"' })
      const text = [columns, row(), other, row({ currency: 'EUR' })].join('\n')
      const { said, err } = await importing('focus', text, '--cost', 'effective')
      expect(err).toBe('')
      expect(said.posted).toEqual([
        { currency: 'USD', amount: '0.6' },
        { currency: 'EUR', amount: '0.3' },
      ])
      const owner = { team: 'search', project: 'rerank', environment: null, key: null, endUser: null }
      expect((await linesOf()).map((line) => line.owner)).toEqual([
        { ...owner, organization: null, tags: { feature: 'top' } },
        { ...owner, organization: 'acme', tags: {} },
        { ...owner, organization: null, tags: { feature: 'top' } },
      ])
      expect((await linesOf())[0]).toMatchObject({
        model: null,
        charges: [{ meter: 'retrieval_gb_day', quantity: { numerator: 1n, denominator: 2n } }],
      })
    })

    it('has tags that are texts', async () => {
      const { exit, err } = await importing('focus', `${columns}\n${row({ tags: '"{""a"":1}"' })}\n`)
      expect([exit, err]).toEqual([
        2,
        expect.stringContaining('report, line 2, column "Tags": tags are an object of texts'),
      ])
    })
  })

  it('is read as JSON Lines, digit by digit', async () => {
    const line = (cost: string) =>
      `{"BilledCost":${cost},"BillingCurrency":"USD","ChargePeriodStart":"2026-03-01T00:00:00Z","ChargePeriodEnd":"2026-03-02T00:00:00Z","ChargeCategory":"Usage","SkuMeter":"sku ${cost}"}`
    const { said } = await importing('focus', `${line('1.05e-5')}\n${line('0.3')}\n`, '--provider', 'openai')
    expect(said.posted).toEqual([{ currency: 'USD', amount: '0.3000105' }])
  })

  it.each([
    [
      'no column',
      'BilledCost,ChargeCategory\n1,Usage\n',
      'report, line 1: the column "BillingCurrency" and "ChargePeriodStart"',
    ],
    [
      'a line twice',
      `${focusColumns}\n${usageRow}\n${usageRow}\n`,
      'report, line 3: the same line is there before',
    ],
    [
      'a short line',
      `${focusColumns}\n1.5,USD\n`,
      'report, line 2: it has 2 fields, and the first line names 9 columns',
    ],
    [
      'another currency',
      `${focusColumns}\n${usageRow}\n${usageRow.replace('USD', 'EUR')}\n`,
      'report, line 3: it is in EUR, and those before are in USD',
    ],
    [
      'a decimal comma',
      `${focusColumns}\n${usageRow}`.replaceAll(',', ';').replace('1.5', '1,5'),
      'report, line 2, column "BilledCost": "1,5" is no amount',
    ],
    [
      'periods that overlap',
      `${focusColumns}\n${usageRow}\n${usageRow.replace('2026-03-02T00', '2026-03-01T12')}\n`,
      'The periods of gpt-4o, input_text_tokens (token) overlap',
    ],
    [
      'a time that is none',
      `${focusColumns}\n${usageRow.replace('2026-03-01T00:00:00Z', 'March')}\n`,
      'report, line 2, column "ChargePeriodStart": "March" is no time',
    ],
    [
      'an unknown category',
      `${focusColumns}\n${usageRow.replace('Usage', 'Gift')}\n`,
      'report, line 2, column "ChargeCategory": "Gift"',
    ],
    ['a quote that does not end', `${focusColumns}\n"${usageRow}\n`, 'report, line'],
    ['no separator', 'BilledCost\n1\n', 'report, line 1: no separator'],
  ])('is refused with %s', async (_, text, said) => {
    const { exit, err } = await importing('focus', text, '--provider', 'openai')
    expect(err).toContain(said)
    expect(exit).toBe(2)
  })

  it('passes over lines that are there twice, where that is asked for', async () => {
    const text = `${focusColumns}\n${usageRow}\n${usageRow}\n`
    const { said } = await importing('focus', text, '--provider', 'openai', '--repeated-rows', 'skip')
    expect(said).toMatchObject({ repeatedRows: 1, posted: [{ amount: '1.5' }] })
  })

  it('does not take what another importer has posted of the same account', async () => {
    await importing('focus', `${focusColumns}\n${usageRow}\n`, '--provider', 'openai', '--account', 'ours')
    const report = page([bucket([completions({ input_tokens: 3000, output_tokens: 1 })])])
    const { exit, err } = await importing('openai-usage', report, '--account', 'ours')
    expect(exit).toBe(2)
    expect(err).toContain('is in the ledger already, imported by focus: it would count twice')
  })
})

it('reads any file by a mapping, with decimal commas, days first and cents', async () => {
  const mapping = join(imports.folder, 'mapping.json')
  const columns = { from: 'Tag', model: 'Modell', amount: 'Betrag', usage: { input_text_tokens: 'Eingabe' } }
  const how = { decimal: ',', date: 'dmy', amountUnit: 'cents', currency: 'EUR', provider: 'mistral' }
  await writeFile(mapping, JSON.stringify({ columns, ...how }))
  const text = 'Tag;Modell;Betrag;Eingabe\n01.03.2026;mistral-large;1.234,5;1.000\n'
  const { said, err } = await importing('csv', text, '--mapping', mapping)
  expect(err).toBe('')
  expect(said.posted).toEqual([{ currency: 'EUR', amount: '12.345' }])
  expect((await linesOf())[0]?.charges).toMatchObject([{ meter: 'input_text_tokens', quantity: 1000 }])
})

it('folds spend logs of LiteLLM by hour, model and key', async () => {
  const text = [
    'request_id,startTime,model,spend,prompt_tokens,completion_tokens,api_key,custom_llm_provider',
    'a,2026-03-01 10:05:00.123,gpt-4o,1.7100000000000002e-05,10,20,k1,openai',
    'b,2026-03-01T10:59:59Z,gpt-4o,0.002,30,40,k1,openai',
    'c,2026-03-01T11:00:00+00:00,gpt-4o,0,0,0,k1,openai',
  ].join('\n')
  const { said } = await importing('litellm-spend-logs', text)
  expect(said).toMatchObject({
    read: 3,
    written: 1,
    posted: [{ amount: '0.0020171' }],
    requests: { posted: 2 },
  })
  const twice = await importing('litellm-spend-logs', `${text}\na,2026-03-01 10:05:00,gpt-4o,1,1,1,k1,openai`)
  expect(twice.err).toContain('report, line 5: the same line is there before ("a")')
})
