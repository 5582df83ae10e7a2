/** The address of a module that a thread loads: `.ts` in a checkout, `.js` where the package is built. */
export const moduleUrl = (path: string, base: string): URL =>
  new URL(base.endsWith('.js') ? path.replace(/\.ts$/, '.js') : path, base)
