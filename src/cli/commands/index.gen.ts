// The commands of this folder, one a file. Generated: run `npm run generate` after adding a file.
import type { CommandEntry } from '../command.ts'

/** Every command of the command line, by name. */
export const commandIndex: readonly CommandEntry[] = [
  {
    name: 'demo',
    summary: 'Run gateway, sandbox and ledger with sample traffic, and print the bill',
    load: async () => (await import('./demo.ts')).command,
  },
  {
    name: 'keys create',
    summary: 'Create an Octroi key for a team or application; its secret is shown once',
    load: async () => (await import('./keys-create.ts')).command,
  },
  {
    name: 'keys list',
    summary: 'List the Octroi keys, without their secrets',
    load: async () => (await import('./keys-list.ts')).command,
  },
  {
    name: 'keys revoke',
    summary: 'Revoke an Octroi key at once',
    load: async () => (await import('./keys-revoke.ts')).command,
  },
  {
    name: 'ledger verify',
    summary: 'Fold every entry of the ledger anew and compare with what it kept',
    load: async () => (await import('./ledger-verify.ts')).command,
  },
  {
    name: 'plan',
    summary: 'Plan what a conversation costs when its history is sent again at every turn',
    load: async () => (await import('./plan.ts')).command,
  },
  {
    name: 'price',
    summary: 'Price recorded uses of AI APIs at the prices in force when they happened',
    load: async () => (await import('./price.ts')).command,
  },
  {
    name: 'report conversations',
    summary: 'Say what each conversation cost, and how much of it was history sent again',
    load: async () => (await import('./report-conversations.ts')).command,
  },
  {
    name: 'report spend',
    summary: 'Say who spent what, from the ledger',
    load: async () => (await import('./report-spend.ts')).command,
  },
  {
    name: 'sandbox',
    summary: 'Start an offline double of OpenAI that keeps its own books',
    load: async () => (await import('./sandbox.ts')).command,
  },
  {
    name: 'serve',
    summary: 'Start the gateway: quote, hold, forward, meter and book every call',
    load: async () => (await import('./serve.ts')).command,
  },
]
