/** Writes `schemas/`: the JSON Schemas of what the command line reads and prints, from `src/cli/schemas.ts`, and the
 * description of the HTTP interface, from `src/gateway/api/`:
 *
 *     node scripts/generate-schemas.ts */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { schemas } from '../src/cli/schemas.ts'
import { openApi } from '../src/gateway/api/openapi.ts'

const folder = fileURLToPath(new URL('../schemas/', import.meta.url))

/** Every file of `schemas/` as it should be, by its name. */
export const schemaFiles = (): ReadonlyMap<string, string> =>
  new Map([
    ...Object.entries(schemas).map(([name, schema]): [string, string] => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' })
      const [, what, version] = /^(.+)-(\d+)$/.exec(name) ?? []
      return [`${name}.json`, written({ $schema, $id: `urn:octroi:schema:${what}:${version}`, ...rest })]
    }),
    ['openapi.json', written(openApi())],
  ])

const written = (json: object): string => `${JSON.stringify(json, null, 2)}\n`

/** The files of `schemas/` as they stand. */
export const writtenSchemas = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name, readFileSync(folder + name, 'utf8')]),
  )

if (import.meta.main) {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of schemaFiles()) writeFileSync(folder + name, text)
  console.log(`schemas/ written: ${schemaFiles().size} files`)
}
