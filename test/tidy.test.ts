import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { staleIndexes } from '../scripts/generate-indexes.ts'
import { errorCodes } from '../src/errors.ts'
import { meters } from '../src/usage/meter.ts'
import { readSources } from './support/source.ts'
import {
  environment,
  errorDocs,
  fileLength,
  importCycles,
  importEndings,
  importOrder,
  meterDocs,
  purity,
  sandboxIndependence,
  wallClock,
} from './support/tidy-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = readSources(root, ['src', 'test', 'bench', 'scripts'], '.ts')

const rules = {
  importOrder,
  purity,
  wallClock,
  environment,
  importCycles,
  sandboxIndependence,
  fileLength,
  importEndings,
}

describe('the house is tidy', () => {
  it.each(Object.keys(rules) as (keyof typeof rules)[])('%s holds everywhere', (name) => {
    expect(rules[name](sources)).toEqual([])
  })

  it('sees the whole house', () => {
    expect(sources.length).toBeGreaterThan(20)
    expect(sources.map(({ path }) => path)).toContain('src/money/rational.ts')
  })

  it('has fresh indexes', () => {
    expect(staleIndexes(root).map(({ path }) => path)).toEqual([])
  })

  it('lists every command under the name and summary it gives itself', async () => {
    const { commandIndex } = await import('../src/cli/commands/index.gen.ts')
    for (const entry of commandIndex) {
      const { name, summary } = await entry.load()
      expect({ name, summary }).toEqual({ name: entry.name, summary: entry.summary })
    }
  })

  it('lists every provider under its id', async () => {
    const { providers } = await import('../src/providers/index.gen.ts')
    expect(Object.entries(providers).filter(([id, provider]) => provider.id !== id)).toEqual([])
    expect(Object.keys(providers)).toContain('openai')
  })

  it('explains every error code, with its status and exit', () => {
    const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')
    expect(errorDocs(errorCodes, page, 'docs/errors.md')).toEqual([])
  })

  it('explains every meter in the glossary', () => {
    const page = readFileSync(join(root, 'docs/glossary.md'), 'utf8')
    expect(meterDocs(meters, page, 'docs/glossary.md')).toEqual([])
  })
})
