// Loaded before a program, this writes the address of every module it resolves to the file of LOADED_FILE.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  resolve(name, context, next) {
    const found = next(name, context)
    appendFileSync(process.env.LOADED_FILE, `${found.url}\n`)
    return found
  },
})
