import { describe, expect, it } from 'vitest'
import { commandIndexText, providerIndexText } from './generate-indexes.ts'

describe('the generated indexes', () => {
  it('hold a name, a summary and a way to load for each command, sorted by name', () => {
    const text = commandIndexText({
      'report-spend.ts': `export const reportSpend: CliCommand = {\n  name: 'report spend',\n  summary: "Who's spent what",\n  configure`,
      'price.ts': `export const priceCommand: CliCommand = {\n  name: 'price',\n  summary:\n    'Prices usage',\n`,
    })
    expect(text).toContain("name: 'price',\n    summary: 'Prices usage',")
    expect(text).toContain('summary: "Who\'s spent what"')
    expect(text).toContain("load: async () => (await import('./report-spend.ts')).reportSpend,")
    expect(text.indexOf("'price'")).toBeLessThan(text.indexOf("'report spend'"))
  })

  it('hold each provider under its id', () => {
    const text = providerIndexText({
      'azure-openai.ts': `export const azureOpenai: Provider = {\n  id: 'azure-openai',\n`,
    })
    expect(text).toContain("import { azureOpenai } from './azure-openai.ts'")
    expect(text).toContain("'azure-openai': azureOpenai,")
  })

  it('refuse a file that keeps to no convention', () => {
    expect(() => commandIndexText({ 'price.ts': 'export const price = 1' })).toThrow('commands/price.ts')
    expect(() =>
      providerIndexText({ 'openai.ts': `export const openai: Provider = {\n  id: 'open',\n` }),
    ).toThrow('providers/openai.ts')
  })
})
