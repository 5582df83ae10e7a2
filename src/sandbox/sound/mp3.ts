import { framesFor, repeated, type SoundCoding } from './sound.ts'

/** MPEG-2 Layer III (ISO/IEC 13818-3), mono, 24 kHz, 32 kbit a second: frames of 576 samples, 24 ms, in exactly
 * 96 bytes. After the head, side information of zeros says that a frame has no data, which is silence. */
export const mp3: SoundCoding = {
  contentType: 'audio/mpeg',
  silence: (seconds) => repeated(frame, framesFor(seconds, 576)),
}

const frame = new Uint8Array(96)
// Sync word, MPEG-2, Layer III, no check sum; 32 kbit (4), 24 kHz (1), no padding; one channel.
frame.set([0xff, 0xf3, 0x44, 0xc0])
