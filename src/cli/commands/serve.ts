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
      .option(
        '--control-host <host>',
        'address of the control plane; off loopback it needs OCTROI_ADMIN_TOKEN',
        '127.0.0.1',
      )
      .option('--control-port <port>', 'port of the control plane', '8788')
      .option('--data <folder>', 'where ledger and keys are kept', 'octroi-data')
      .option(
        '--spool <folder>',
        'where calls wait while the ledger cannot be written, best on another disk: the data folder',
      )
      .option(
        '--prices <folder>',
        'the folder with your own price files: prices in the data folder, if it is there',
      )
      .option('--clock <instant>', 'start the clock at an instant: INSTANT[,fixed|running]')
      .option('--workers <number>', 'pass calls on in so many processes; SIGHUP puts new ones in their place')
      .option('--quiet', 'do not print a line for each call')
      .option('--log <form>', 'what goes to standard error: text, json or off', 'text')
      .option('--log-level <level>', 'how much of it: error, warn or info', 'info')
      .option('--drain <time>', 'how long calls in flight may take when it is told to end: 10s, 2m', '10s')
      .option('--check', 'say what would run and what is wrong with it, and start nothing')
  },
  run: async ({ options }, io) => {
    if (options['check'] === true) {
      const { checkServe } = await import('../serve-check.ts')
      return checkServe(options, io)
    }
    const { serve } = await import('../serve.ts')
    return serve(options, io)
  },
}
