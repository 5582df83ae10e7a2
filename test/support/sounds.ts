/** A WAV of so many seconds of silence: 8 bit, one channel, 8 kHz unless said. */
export const silentWav = (seconds: number, samplesASecond = 8000): Uint8Array<ArrayBuffer> => {
  const samples = Math.round(seconds * samplesASecond)
  const bytes = new Uint8Array(44 + samples).fill(128, 44)
  const view = new DataView(bytes.buffer)
  const word = (at: number, text: string): void => {
    for (const [index, character] of [...text].entries()) view.setUint8(at + index, character.charCodeAt(0))
  }
  word(0, 'RIFF')
  view.setUint32(4, 36 + samples, true)
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
