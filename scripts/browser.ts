import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A browser for tests of pages. Chromium is not among the npm packages: it is the system's, or Debian's package, which
 * `npm test` installs where it may. */

/** Debian's. */
const manager = 'apt-get'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Where Chromium is: what CHROMIUM names, else the first in PATH; null where there is none. */
export const findBrowser = (environment: NodeJS.ProcessEnv = process.env): string | null => {
  const told = environment['CHROMIUM']
  if (told !== undefined && told !== '') return told
  return onPath(names, environment)
}

/** What to do where there is none. */
export const browserHelp =
  'There is no Chromium for the tests of pages. Install it (Debian: apt-get install chromium), or let CHROMIUM name one.'

/** Sees to it that there is a browser: where none is found, root on Debian installs its package, and anybody else is told
 * what to do. Whether that is a failure the tests themselves say. */
export const readyBrowser = (): void => {
  if (findBrowser() !== null) return
  if (process.getuid?.() !== 0 || onPath([manager], process.env) === null) {
    console.error(browserHelp)
    return
  }
  console.error('Installing Chromium for the tests of pages (apt-get install chromium) ...')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: readonly string[]): boolean =>
    spawnSync(manager, ['-qq', '-y', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const install = (): boolean => apt('install', '--no-install-recommends', 'chromium', 'fonts-dejavu-core')
  if (!install() && !(apt('update') && install())) console.error(browserHelp)
}

const onPath = (programs: readonly string[], environment: NodeJS.ProcessEnv): string | null => {
  for (const name of programs) {
    for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // The next one may be there.
      }
    }
  }
  return null
}
