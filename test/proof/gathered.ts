/** All that a stream gives, in a list. */
export const gathered = async <T>(stream: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}
