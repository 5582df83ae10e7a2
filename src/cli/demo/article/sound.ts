const headBytes = 44
const silent = 128

/** A WAV of so many whole seconds of silence: 8 bit, one channel, and only 1,000 samples a second, since an hour must
 * fit into the 25 MB that the vendor took. */
export const silence = (seconds: number): Uint8Array<ArrayBuffer> => {
  const samplesASecond = 1000
  const samples = seconds * samplesASecond
  const bytes = new Uint8Array(headBytes + samples).fill(silent, headBytes)
  const view = new DataView(bytes.buffer)
  const word = (at: number, text: string): void => {
    for (let index = 0; index < text.length; index += 1) view.setUint8(at + index, text.charCodeAt(index))
  }
  word(0, 'RIFF')
  view.setUint32(4, headBytes - 8 + samples, true)
  word(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, samplesASecond, true)
  view.setUint32(28, samplesASecond, true)
  view.setUint16(32, 1, true)
  view.setUint16(34, 8, true)
  word(36, 'data')
  view.setUint32(40, samples, true)
  return bytes
}
