import { crc32, deflateSync } from 'node:zlib'

/** A PNG for tests, black and see-through: `says` is the size in its head, when it lies. Colour type 6 is RGBA, 2
 * is RGB. */
export const testPng = ({
  side,
  says = side,
  width = side,
  type = 6,
}: {
  readonly side: number
  readonly says?: number
  readonly width?: number
  readonly type?: 2 | 6
}): Buffer => {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(says === side ? width : says, 0)
  head.writeUInt32BE(says, 4)
  head.set([8, type], 8)
  const pixels = Buffer.alloc(side * (1 + width * (type === 6 ? 4 : 3)))
  const part = (name: string, data: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(name), data])
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    sum.writeUInt32BE(crc32(named))
    return Buffer.concat([length, named, sum])
  }
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const parts = [part('IHDR', head), part('IDAT', deflateSync(pixels)), part('IEND', Buffer.alloc(0))]
  return Buffer.concat([signature, ...parts])
}
