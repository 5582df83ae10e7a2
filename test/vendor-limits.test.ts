import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { limitsSchemaText, writtenLimitsSchema } from '../scripts/generate-limits-schema.ts'
import { openVendorLimits } from '../src/limits/vendor-limits.ts'

const folder = fileURLToPath(new URL('../prices/limits/', import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'schema.json')
const files = names.map((name): unknown => JSON.parse(readFileSync(folder + name, 'utf8')))

describe('prices/limits/schema.json', () => {
  it('is what the code holds the files to', () => {
    expect(writtenLimitsSchema()).toBe(limitsSchemaText())
  })

  it('describes every file', () => {
    const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(writtenLimitsSchema()))
    expect(names).toContain('openai.json')
    for (const file of files) expect(validate(file) ? [] : validate.errors).toEqual([])
  })
})

describe('the files of prices/limits/', () => {
  it('open together', () => {
    expect(openVendorLimits(files).limits.length).toBeGreaterThan(50)
  })

  it('come with the package', async () => {
    const { default: openai } = await import('octroi/prices/limits/openai.json', { with: { type: 'json' } })
    expect(openai.provider).toBe('openai')
  })
})
