import { describe, expect, it } from 'vitest'
import { lookupWithin } from './addresses.ts'
import { alertsSchema, readAlerts } from './alerts-config.ts'

const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`
const hook = { secretVariable: 'HOOK' }

const read = (...webhooks: readonly object[]) =>
  readAlerts(alertsSchema.parse({ webhooks: webhooks.map((each) => ({ ...hook, ...each })) }), {
    HOOK: secret,
  })

/** What a connection to a host is given to connect to, or why it is given nothing. An address is its own name. */
const connects = (reach: 'public' | 'private', host: string, all = true): Promise<unknown> =>
  new Promise((resolve) => {
    lookupWithin(reach)(host, { all }, (error, address) => resolve(error?.message ?? address))
  })

describe('the address of a webhook', () => {
  it.each([
    ...['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1', '100.100.100.200', '0.0.0.0'],
    ...['::1', '::', '::ffff:169.254.169.254', '::127.0.0.1', 'fd00:ec2::254', 'fe80::1', '64:ff9b::7f00:1'],
  ])('is judged when it is connected to, and not to be %s', async (address) => {
    expect(await connects('public', address)).toContain('no public address')
    expect(await connects('public', address, false)).toContain('no public address')
    expect(await connects('private', address, false)).toBe(address)
  })

  it('is public, or where it is spoken to in the clear, is not', async () => {
    expect(await connects('public', '8.8.8.8')).toEqual([{ address: '8.8.8.8', family: 4 }])
    expect(await connects('public', '8.8.8.8', false)).toBe('8.8.8.8')
    expect(await connects('private', '8.8.8.8')).toContain('Speak to it by https')
  })
})

describe('a webhook of the configuration', () => {
  it('is in the clear inside the network only', () => {
    expect(() => read({ url: 'http://127.0.0.1:8080/' })).toThrow('not https')
    expect(() => read({ url: 'http://127.0.0.1:8080/', allowPrivate: true })).not.toThrow()
    expect(() => read({ url: 'http://8.8.8.8/', allowPrivate: true })).toThrow('Speak to it by https')
    expect(() => read({ url: 'https://[::1]/', allowPrivate: true })).not.toThrow()
  })

  it('stands once, and carries no password', () => {
    const url = 'https://hooks.example.com/octroi'
    expect(() => read({ url }, { url: `${url}?b` })).not.toThrow()
    expect(() => read({ url }, { url })).toThrow('hooks.example.com: the same url stands twice')
    expect(() => read({ url: 'https://me:hunter2@hooks.example.com/' })).toThrow(
      /^Configuration: alerts: hooks\.example\.com: take the name and password out of its url/,
    )
  })

  it('hears of all, or of the limits and types that it names', () => {
    const url = 'https://hooks.example.com/'
    const hears = (more: object) => {
      const [webhook] = read({ url, ...more }).webhooks
      return ['limit.threshold', 'limit.burn_rate'].map((type) => webhook?.hears(type, 'search/day'))
    }
    expect(hears({})).toEqual([true, true])
    expect(hears({ limits: ['ads', 'search*'] })).toEqual([true, true])
    expect(hears({ limits: ['search'] })).toEqual([false, false])
    expect(hears({ types: ['limit.burn_rate'] })).toEqual([false, true])
    expect(() => read({ url, types: ['limit.blocked'] })).toThrow()
    expect(() => read({ url, limits: [] })).toThrow()
  })
})
