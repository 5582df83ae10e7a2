import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { OctroiError } from '../../errors.ts'

/** Addresses that are not of the public internet: the special-purpose registries of IANA (RFC 6890 and its updates), and
 * multicast. Addresses in IPv6 that stand for one in IPv4 are judged by that. */
const special = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  special.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  special.addSubnet(network, prefix, 'ipv6')
}

/** True for an address that anyone on the internet could have. `BlockList` judges IPv4-mapped addresses by IPv4. */
export const isPublicAddress = (address: string): boolean => {
  const version = isIP(address)
  return version !== 0 && !special.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** Whom a webhook may reach: `public` addresses alone, or, in the clear, only such as are not (`private`). */
type Reach = 'public' | 'private'

/** Throws `bad_input` where a host is written as an address that is out of reach. A name is judged when it is looked
 * up. */
export const refuseHost = (host: string, reach: Reach): void => {
  const address = host.replace(/^\[|\]$/g, '')
  if (isIP(address) !== 0 && isPublicAddress(address) !== (reach === 'public')) throw outOf(reach, address)
}

/** Looks a name up at each connection, and connects only where all its addresses are in reach: a name that changes its
 * mind in between leads nowhere. */
export const lookupWithin =
  (reach: Reach): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = addresses?.find(({ address }) => isPublicAddress(address) !== (reach === 'public'))
      const [first] = addresses ?? []
      if (error !== null || first === undefined) done(error ?? outOf(reach, hostname), '', 0)
      else if (refused !== undefined) done(outOf(reach, refused.address), '', 0)
      else if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }

const outOf = (reach: Reach, address: string): OctroiError => {
  const why =
    reach === 'public'
      ? 'is no public address. Where that is meant, set "allowPrivate"'
      : 'is a public address. Speak to it by https'
  return new OctroiError('bad_input', `A webhook may not point at ${address.slice(0, 60)}, which ${why}.`)
}
