import { type SoundCoding, samplesPerSecond } from './sound.ts'

/** FLAC (RFC 9639): mono, 16 bits, 24 kHz, in blocks of 4,096 samples that are one constant, zero. */
export const flac: SoundCoding = {
  contentType: 'audio/flac',
  silence: (seconds) => {
    const samples = Math.max(16, Math.ceil(seconds * samplesPerSecond))
    const blocks = Math.ceil(samples / blockSamples)
    return Buffer.concat([
      Buffer.from('fLaC', 'latin1'),
      streamInfo(samples),
      ...Array.from({ length: blocks }, (_, index) =>
        frame(index, Math.min(blockSamples, samples - index * blockSamples)),
      ),
    ])
  },
}

const blockSamples = 4096

/** The only block before the sound. Smallest and largest frame, and the sum of the samples, are left unknown. */
const streamInfo = (samples: number): Buffer => {
  const block = Buffer.alloc(38)
  block.writeUInt32BE(0x80000022, 0)
  block.writeUInt16BE(blockSamples, 4)
  block.writeUInt16BE(blockSamples, 6)
  // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
  block.writeBigUInt64BE((BigInt(samplesPerSecond) << 44n) | (15n << 36n) | BigInt(samples), 14)
  return block
}

/** Sync word; size of the block (4,096, or two bytes that say it), 24 kHz; one channel, 16 bits; the frame's
 * number. Then a constant, which is zero. */
const frame = (number: number, samples: number): Buffer => {
  const short = samples !== blockSamples
  const front = [0xff, 0xf8, short ? 0x77 : 0xc7, 0x08, ...codedNumber(number)]
  if (short) front.push((samples - 1) >> 8, (samples - 1) & 0xff)
  const body = Buffer.from([...front, remainder(front, 0x07, 8), 0x00, 0x00, 0x00])
  const sum = remainder(body, 0x8005, 16)
  return Buffer.concat([body, Buffer.from([sum >> 8, sum & 0xff])])
}

/** As UTF-8 would code that number. */
const codedNumber = (number: number): Buffer => Buffer.from(String.fromCodePoint(number))

/** The remainder of a polynomial division: the check sum of the head (8 bits) and of the frame (16). */
const remainder = (bytes: Iterable<number>, polynomial: number, bits: 8 | 16): number => {
  const top = 1 << (bits - 1)
  const mask = (1 << bits) - 1
  let sum = 0
  for (const byte of bytes) {
    sum ^= byte << (bits - 8)
    for (let bit = 0; bit < 8; bit++) sum = (sum & top ? (sum << 1) ^ polynomial : sum << 1) & mask
  }
  return sum
}
