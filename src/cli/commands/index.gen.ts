// The commands of this folder, one a file. Generated: run `npm run generate` after adding a file.
import type { CommandEntry } from '../command.ts'

/** Every command of the command line, by name. */
export const commandIndex: readonly CommandEntry[] = [
  {
    name: 'alerts list',
    summary: 'Show the latest alerts, and whom each has reached',
    load: async () => (await import('./alerts-list.ts')).command,
  },
  {
    name: 'alerts test',
    summary: 'Send an alert about nothing to every webhook, and say who took it',
    load: async () => (await import('./alerts-test.ts')).command,
  },
  {
    name: 'apply',
    summary: 'Make keys, limits and rules those of a policy file, after showing what changes',
    load: async () => (await import('./apply.ts')).command,
  },
  {
    name: 'book check',
    summary: 'Check price files, and say what they cover, how sure it is and how old',
    load: async () => (await import('./book-check.ts')).command,
  },
  {
    name: 'book diff',
    summary: 'Show which prices moved between two days',
    load: async () => (await import('./book-diff.ts')).command,
  },
  {
    name: 'book history',
    summary: 'Draw what a model has cost over time, and list every price it had',
    load: async () => (await import('./book-history.ts')).command,
  },
  {
    name: 'book list',
    summary: 'List the prices in force on a day',
    load: async () => (await import('./book-list.ts')).command,
  },
  {
    name: 'book show',
    summary: 'Show the prices of a model on a day, each with its source',
    load: async () => (await import('./book-show.ts')).command,
  },
  {
    name: 'book sunsets',
    summary: 'List the models that end, when, and what replaces them',
    load: async () => (await import('./book-sunsets.ts')).command,
  },
  {
    name: 'book update',
    summary: 'Take prices over from a file or an address, to fill what the book does not have',
    load: async () => (await import('./book-update.ts')).command,
  },
  {
    name: 'completion',
    summary: 'Print a script that completes commands and options, for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).command,
  },
  {
    name: 'demo',
    summary: 'Run gateway, sandbox and ledger with sample traffic, and print the bill',
    load: async () => (await import('./demo.ts')).command,
  },
  {
    name: 'end-users find',
    summary: 'Say under which pseudonym an end user stands in the ledger',
    load: async () => (await import('./end-users-find.ts')).command,
  },
  {
    name: 'end-users forget',
    summary: 'Delete what leads from an end user to its pseudonym in the ledger',
    load: async () => (await import('./end-users-forget.ts')).command,
  },
  {
    name: 'export focus',
    summary: 'Write spend as FOCUS Cost and Usage, or check such a file',
    load: async () => (await import('./export-focus.ts')).command,
  },
  {
    name: 'import',
    summary: 'Import what a vendor reports: usage as spend, bills as evidence',
    load: async () => (await import('./import.ts')).command,
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
    name: 'keys rotate',
    summary: 'Give an Octroi key another secret; the old one opens for a while longer',
    load: async () => (await import('./keys-rotate.ts')).command,
  },
  {
    name: 'keys update',
    summary: 'Change whom an Octroi key belongs to, or what it may do',
    load: async () => (await import('./keys-update.ts')).command,
  },
  {
    name: 'ledger backup',
    summary: 'Copy ledger and keys into a file, also while a gateway writes them',
    load: async () => (await import('./ledger-backup.ts')).command,
  },
  {
    name: 'ledger prune',
    summary: 'Leave the calls of older sealed days to their files',
    load: async () => (await import('./ledger-prune.ts')).command,
  },
  {
    name: 'ledger restore',
    summary: 'Verify a backup and put it in the place of the ledger',
    load: async () => (await import('./ledger-restore.ts')).command,
  },
  {
    name: 'ledger seal',
    summary: 'Seal days that are over into columnar files',
    load: async () => (await import('./ledger-seal.ts')).command,
  },
  {
    name: 'ledger thaw',
    summary: 'Put the calls of sealed days back into the ledger, to correct them',
    load: async () => (await import('./ledger-thaw.ts')).command,
  },
  {
    name: 'ledger verify',
    summary: 'Fold every entry of the ledger anew and compare with what it kept',
    load: async () => (await import('./ledger-verify.ts')).command,
  },
  {
    name: 'limits list',
    summary: 'Show every limit: cap, settled, held, unresolved, free, over, and when it resets',
    load: async () => (await import('./limits-list.ts')).command,
  },
  {
    name: 'limits test',
    summary: 'Try limits on the calls of the ledger, and show what they would have refused',
    load: async () => (await import('./limits-test.ts')).command,
  },
  {
    name: 'period close',
    summary: "Close a period of a vendor's bill, once every difference is explained",
    load: async () => (await import('./period-close.ts')).command,
  },
  {
    name: 'period list',
    summary: 'List closed periods, and what was corrected in them since',
    load: async () => (await import('./period-list.ts')).command,
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
    name: 'provider-keys list',
    summary: 'List the stored keys of vendors: whose, how they end, since when',
    load: async () => (await import('./provider-keys-list.ts')).command,
  },
  {
    name: 'provider-keys rekey',
    summary: 'Seal the stored keys of vendors with another master key',
    load: async () => (await import('./provider-keys-rekey.ts')).command,
  },
  {
    name: 'provider-keys remove',
    summary: 'Forget a stored key of a vendor',
    load: async () => (await import('./provider-keys-remove.ts')).command,
  },
  {
    name: 'provider-keys set',
    summary: 'Store a vendor’s key, sealed; it is read from standard input',
    load: async () => (await import('./provider-keys-set.ts')).command,
  },
  {
    name: 'quote',
    summary: 'Quote a request before it is sent: the least, the expected and the most it can cost',
    load: async () => (await import('./quote.ts')).command,
  },
  {
    name: 'reconcile runs',
    summary: "Replace estimates of runs by what the vendor's usage report says was billed",
    load: async () => (await import('./reconcile-runs.ts')).command,
  },
  {
    name: 'reconcile',
    summary: "Hold the ledger against the vendor's bill, and explain every difference",
    load: async () => (await import('./reconcile.ts')).command,
  },
  {
    name: 'report allocation',
    summary: 'Split what was spent over cost centres, by rules',
    load: async () => (await import('./report-allocation.ts')).command,
  },
  {
    name: 'report bill',
    summary: 'Write what a period came to as a bill: a table, a page of HTML, JSON',
    load: async () => (await import('./report-bill.ts')).command,
  },
  {
    name: 'report conversations',
    summary: 'Say what each conversation cost, and how much of it was history sent again',
    load: async () => (await import('./report-conversations.ts')).command,
  },
  {
    name: 'report receipt',
    summary: 'List every charge of a call, or of a figure of a report',
    load: async () => (await import('./report-receipt.ts')).command,
  },
  {
    name: 'report service-levels',
    summary: 'Say how well vendors served, beside what they promise',
    load: async () => (await import('./report-service-levels.ts')).command,
  },
  {
    name: 'report spend',
    summary: 'Say who spent what, from the ledger',
    load: async () => (await import('./report-spend.ts')).command,
  },
  {
    name: 'rerate',
    summary: 'Price a past period anew by corrected prices',
    load: async () => (await import('./rerate.ts')).command,
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
  {
    name: 'tokens',
    summary: 'Count the tokens of a text, a request, an image or a sound',
    load: async () => (await import('./tokens.ts')).command,
  },
]
