/** Remembers texts by 64 bits of their hash: 16 to 32 bytes each, whatever their length. Gives true for a text that is
 * new. Of a million texts, one is taken for another once in 37 million runs. */
export const createSeen = (): ((text: string) => boolean) => {
  let [mask, count] = [sizeFirst - 1, 0]
  let slots = new Uint32Array(2 * sizeFirst)
  const put = (high: number, low: number): boolean => {
    let at = (low ^ high) & mask
    for (;;) {
      const [a, b] = [slots[2 * at] ?? 0, slots[2 * at + 1] ?? 0]
      if (a === 0 && b === 0) break
      if (a === high && b === low) return false
      at = (at + 1) & mask
    }
    slots[2 * at] = high
    slots[2 * at + 1] = low
    return true
  }
  const grow = (): void => {
    const before = slots
    mask = 2 * (mask + 1) - 1
    slots = new Uint32Array(2 * (mask + 1))
    for (let at = 0; at < before.length; at += 2) {
      const [high, low] = [before[at] ?? 0, before[at + 1] ?? 0]
      if (high !== 0 || low !== 0) put(high, low)
    }
  }
  return (text) => {
    if (2 * count > mask) grow()
    let [high, low] = [0x811c9dc5, 0x9e3779b9]
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      high = Math.imul(high ^ code, 0x01000193)
      low = Math.imul((low << 5) ^ (low >>> 27) ^ code, 0x85ebca6b)
    }
    low = Math.imul(low ^ (low >>> 15), 0xc2b2ae35)
    low ^= low >>> 13
    high = Math.imul(high ^ (high >>> 16), 0x7feb352d)
    high ^= high >>> 15
    const isNew = put(high >>> 0 || 1, low >>> 0)
    if (isNew) count += 1
    return isNew
  }
}

const sizeFirst = 65_536
