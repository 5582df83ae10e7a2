import type { CliCommand } from '../command.ts'

/** `octroi book update --from FILE|URL`: takes prices over from elsewhere, beside the book. */
export const command: CliCommand = {
  name: 'book update',
  summary: 'Take prices over from a file or an address, to fill what the book does not have',
  configure: (parser) => {
    parser
      .requiredOption(
        '--from <file or url>',
        "your own price file, LiteLLM's model map, or the api.json of models.dev",
      )
      .option('--out <file>', 'where to write them: a file of the folder of prices unless said')
      .option('--prices <folder>', 'the folder with your own price files: octroi-data/prices unless said')
      .option('--since <date>', 'the day from which they hold: today unless said')
      .option('--json', 'for machines')
  },
  run: async ({ options }, io) => {
    const [{ updateBook }, { formatUpdate, formatUpdateJson }, { clockFrom }, { parseInstant }] =
      await Promise.all([
        import('../book-update.ts'),
        import('../book-update-table.ts'),
        import('../clock.ts'),
        import('../../time.ts'),
      ])
    const text = (name: string): string | undefined =>
      options[name] === undefined ? undefined : String(options[name])
    const [out, folder, since] = [text('out'), text('prices'), text('since')]
    const update = await updateBook({
      from: String(options.from),
      at: clockFrom(undefined).now(),
      signal: io.signal,
      ...(out !== undefined && { out }),
      ...(folder !== undefined && { folder }),
      ...(since !== undefined && { since: parseInstant(since) }),
    })
    io.out(options.json === true ? formatUpdateJson(update) : formatUpdate(update, io))
    return 0
  },
}
