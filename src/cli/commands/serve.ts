import type { CliCommand } from '../command.ts'

/** `octroi serve`: the gateway. */
export const command: CliCommand = {
  name: 'serve',
  summary: 'Start the gateway: quote, hold, forward, meter and book every call',
  configure: (parser) => {
    parser
      .option('--config <file>', 'providers, limits and who may call, as JSON')
      .option('--upstream <url>', 'base URL of the OpenAI API, when there is no configuration')
      .option('--host <host>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port for applications', '8787')
      .option('--control-port <port>', 'port of the control plane, on loopback', '8788')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option(
        '--prices <folder>',
        'the folder with your own price files: prices in the data folder, if it is there',
      )
      .option('--clock <instant>', 'start the clock at an instant: INSTANT[,fixed|running]')
      .option('--quiet', 'do not print a line for each call')
  },
  run: async ({ options }, io) => {
    const { serve } = await import('../serve.ts')
    return serve(options, io)
  },
}
