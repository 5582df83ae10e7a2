import { framesFor, type SoundCoding } from './sound.ts'

/** Opus in Ogg (RFC 7845): mono, packets of 20 ms that say nothing, 50 to a page. */
export const opus: SoundCoding = {
  contentType: 'audio/opus',
  silence: (seconds) => {
    const packets = framesFor(seconds + preSkip / clock, packetSamples, clock)
    const pages = Math.ceil(packets / pagePackets)
    return Buffer.concat([
      page({ kind: 2, position: 0, number: 0, packets: [head()] }),
      page({ kind: 0, position: 0, number: 1, packets: [tags()] }),
      ...Array.from({ length: pages }, (_, index) => {
        const many = Math.min(pagePackets, packets - index * pagePackets)
        return page({
          kind: index === pages - 1 ? 4 : 0,
          position: (index * pagePackets + many) * packetSamples,
          number: index + 2,
          packets: new Array<Buffer>(many).fill(silentPacket),
        })
      }),
    ])
  },
}

/** The clock of Opus in Ogg, whatever the sound's own rate. */
const clock = 48_000
const packetSamples = 960
const pagePackets = 50
/** Samples that a player throws away first: what the reference encoder writes. */
const preSkip = 312

/** The silent packet of RFC 7587 and of every player's tests: 20 ms, CELT, full band. */
const silentPacket = Buffer.from([0xf8, 0xff, 0xfe])

const head = (): Buffer => {
  const packet = Buffer.alloc(19)
  packet.write('OpusHead', 'latin1')
  packet.set([1, 1], 8)
  packet.writeUInt16LE(preSkip, 10)
  packet.writeUInt32LE(24_000, 12)
  return packet
}

const tags = (): Buffer => {
  const vendor = 'octroi'
  const packet = Buffer.alloc(16 + vendor.length)
  packet.write('OpusTags', 'latin1')
  packet.writeUInt32LE(vendor.length, 8)
  packet.write(vendor, 12, 'latin1')
  return packet
}

/** A page of Ogg (RFC 3533). Every packet here is shorter than a segment. */
const page = (parts: {
  kind: number
  position: number
  number: number
  packets: readonly Buffer[]
}): Buffer => {
  const { packets } = parts
  const front = Buffer.alloc(27 + packets.length)
  front.write('OggS', 'latin1')
  front[5] = parts.kind
  front.writeBigUInt64LE(BigInt(parts.position), 6)
  front.writeUInt32LE(1, 14)
  front.writeUInt32LE(parts.number, 18)
  front[26] = packets.length
  front.set(
    packets.map(({ length }) => length),
    27,
  )
  const whole = Buffer.concat([front, ...packets])
  whole.writeUInt32LE(checkSum(whole), 22)
  return whole
}

/** Ogg's own: the polynomial of Ethernet, neither turned around nor inverted. */
const checkSum = (bytes: Buffer): number => {
  let sum = 0
  for (const byte of bytes) sum = ((sum << 8) ^ (sums[(sum >>> 24) ^ byte] ?? 0)) >>> 0
  return sum
}

const sums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1
  return sum >>> 0
})
