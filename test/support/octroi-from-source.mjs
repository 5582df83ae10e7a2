// Loaded before a page's code, which stands in a folder of its own: leads the package's name to the sources it is
// built from, and other packages to those of the project.
import { registerHooks } from 'node:module'

const root = new URL('../../', import.meta.url)

const sourceOf = (name) => {
  if (name === 'octroi') return new URL('src/index.ts', root).href
  if (name.startsWith('octroi/prices/')) return new URL(name.slice('octroi/'.length), root).href
  if (name.startsWith('octroi/')) return new URL(`src/${name.slice('octroi/'.length)}/index.ts`, root).href
  return null
}

registerHooks({
  resolve(name, context, next) {
    const parentURL = context.parentURL?.endsWith('/block.mts') ? root.href : context.parentURL
    return next(sourceOf(name) ?? name, /^[./]/.test(name) ? context : { ...context, parentURL })
  },
})
