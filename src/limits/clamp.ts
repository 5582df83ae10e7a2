/** The largest output limit that fits, from a floor to what was asked; null where not even the floor does. `fits` must
 * hold for everything below what it holds for: ask an admission with the quote of that output. It is asked at most once
 * for each doubling between the two. Throws nothing of its own. */
export const largestThatFits = (
  { floor, asked }: { readonly floor: number; readonly asked: number },
  fits: (outputTokens: number) => boolean,
): number | null => {
  if (floor > asked || !fits(floor)) return null
  let [most, tooMuch] = [floor, asked + 1]
  while (tooMuch - most > 1) {
    const middle = most + Math.floor((tooMuch - most) / 2)
    if (fits(middle)) most = middle
    else tooMuch = middle
  }
  return most
}
