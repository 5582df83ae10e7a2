import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { refuseOpenControl } from './admin.ts'

let world: TestWorld

const token = 'an-admin-token-of-the-operator'

const ask = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
  (await fetch(`${world.gateway.controlUrl}${path}`, { headers })).status

describe('the control plane', () => {
  afterEach(() => world.close())

  it('on loopback takes whoever is on this machine, and no page of another site', async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
    expect(world.gateway.controlToken).toBeNull()
    expect(await ask('/octroi/v1/keys')).toBe(200)
    expect(await ask('/octroi/v1/keys', { origin: 'https://evil.example' })).toBe(403)
  })

  it('with a token wants it for everything but its health', async () => {
    world = await startWorld({ gateway: { controlPort: 0, adminToken: token } })
    expect(await ask('/octroi/v1/keys')).toBe(401)
    expect(await ask('/metrics')).toBe(401)
    expect(await ask('/octroi/v1/keys', { authorization: `Bearer ${token}x` })).toBe(401)
    expect(await ask('/octroi/v1/keys', { authorization: token })).toBe(401)
    expect(await ask('/healthz')).toBe(200)
    expect(await ask('/readyz')).toBe(200)
    expect(await ask('/octroi/v1/keys', { authorization: `Bearer ${token}` })).toBe(200)
    expect(await ask('/metrics', { authorization: `bearer ${token}` })).toBe(200)
  })

  it('takes the token of this run from the commands that may read the data folder', async () => {
    world = await startWorld({ gateway: { controlPort: 0, adminToken: token } })
    expect(world.gateway.controlToken).not.toBe(token)
    expect(await ask('/octroi/v1/keys', { authorization: `Bearer ${world.gateway.controlToken}` })).toBe(200)
  })

  it('listens off loopback with a token, under whatever name', async () => {
    world = await startWorld({ gateway: { controlPort: 0, controlHost: '0.0.0.0', adminToken: token } })
    expect(world.gateway.controlUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await ask('/octroi/v1/keys')).toBe(401)
    expect(await ask('/octroi/v1/keys', { authorization: `Bearer ${token}` })).toBe(200)
  })
})

it('a control plane off loopback is not started without a token, nor with one that could be guessed', () => {
  expect(() => refuseOpenControl('0.0.0.0', null)).toThrow('OCTROI_ADMIN_TOKEN')
  expect(() => refuseOpenControl('127.0.0.1', 'short')).toThrow('24 characters')
  expect(() => refuseOpenControl('0.0.0.0', token)).not.toThrow()
  expect(() => refuseOpenControl('::1', null)).not.toThrow()
})
