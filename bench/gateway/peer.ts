import { type AddressInfo, createServer } from 'node:net'
import { answerParent } from './child.ts'

/** The gateway `@portkey-ai/gateway` as its package starts it, without its console: it passes calls on, counts no
 * money, holds no budget and keeps no ledger. `peer.ts URL`. */
const vendor = new URL(process.argv[2] ?? '')

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

const port = await freePort()
process.env['TRUSTED_CUSTOM_HOSTS'] = vendor.hostname
process.argv.push('--headless', `--port=${port}`)
// What it says while it starts is not for whoever measures.
process.stdout.write = () => true
await import(import.meta.resolve('@portkey-ai/gateway/build/start-server.js'))
const url = `http://127.0.0.1:${port}`
for (let tries = 0; tries < 100; tries += 1) {
  const up = await fetch(url).then(
    () => true,
    () => false,
  )
  if (up) break
  await new Promise((resolve) => setTimeout(resolve, 100))
}
answerParent({ url }, async () => null)
