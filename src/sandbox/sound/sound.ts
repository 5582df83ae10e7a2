/** A coding of sound that the sandbox writes itself: silence of a length, as a whole file that players read. */
export type SoundCoding = {
  readonly contentType: string
  /** A file of at least so many seconds, to the next whole frame. */
  readonly silence: (seconds: number) => Uint8Array
}

/** Samples a second of everything that is spoken: the vendor's. */
export const samplesPerSecond = 24_000

/** How many frames of so many samples hold a length; one at least. */
export const framesFor = (seconds: number, frameSamples: number, rate = samplesPerSecond): number =>
  Math.max(1, Math.ceil((seconds * rate) / frameSamples))

/** One frame again and again. */
export const repeated = (frame: Uint8Array, times: number): Uint8Array => {
  const whole = new Uint8Array(frame.length * times)
  for (let index = 0; index < times; index++) whole.set(frame, index * frame.length)
  return whole
}
