import type { CliCommand } from '../command.ts'

/** `octroi keys create`: a new key, shown once. */
export const command: CliCommand = {
  name: 'keys create',
  summary: 'Create an Octroi key for a team or application; its secret is shown once',
  configure: (parser) => {
    parser
      .option('--name <name>', 'what the key is for')
      .option('--organization <name>')
      .option('--team <name>')
      .option('--project <name>')
      .option('--environment <name>')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ withKeys }, { formatJson }] = await Promise.all([import('../keys.ts'), import('../json.ts')])
    const text = (name: string): string | null => (options[name] === undefined ? null : String(options[name]))
    const owner = {
      name: text('name'),
      organization: text('organization'),
      team: text('team'),
      project: text('project'),
      environment: text('environment'),
    }
    const created = await withKeys(String(options.data), (keys) => keys.create(owner))
    if (options.json === true) io.out(`${formatJson(created)}\n`)
    else {
      io.out(`${created.secret}\n`)
      io.err(`octroi: key ${created.key.id} created. It is not shown again.\n`)
    }
    return 0
  },
}
