import { framesFor, repeated, type SoundCoding } from './sound.ts'

/** AAC Low Complexity in ADTS frames (ISO/IEC 14496-3), mono, 24 kHz: 1,024 samples in 128 bytes, 24 kbit a
 * second. */
export const aac: SoundCoding = {
  contentType: 'audio/aac',
  silence: (seconds) => repeated(frame, framesFor(seconds, 1024)),
}

const frame = new Uint8Array(128)
// The head: sync word, no check sum; Low Complexity, 24 kHz (6), one channel, 128 bytes, any buffer.
frame.set([0xff, 0xf1, 0x58, 0x40, 0x10, 0x1f, 0xfc])
// One channel without scale factor bands is 29 zero bits. Then an element of 115 bytes that fill: 110, 1111, 101.
frame.set([0x06, 0xf6, 0x50], 7 + 3)
// The end, 111, after these 115 bytes.
frame[127] = 0x0e
