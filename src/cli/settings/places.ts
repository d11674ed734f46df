// Where the console keeps what it knows, as the XDG Base Directory Specification says.
import path from 'node:path'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Places {
  /** The servers and their keys. */
  settings: string
  /** What was typed at the console. */
  history: string
}

/** A path that is not absolute counts as none, as the specification asks. */
const folder = (wanted: string | undefined, home: string, usual: string): string =>
  path.join(wanted !== undefined && path.isAbsolute(wanted) ? wanted : path.join(home, usual), 'madhava')

/** @param home the folder of the user */
export const placesOf = (env: Environment, home: string): Places => ({
  settings: path.join(folder(env.XDG_CONFIG_HOME, home, '.config'), 'console.json'),
  history: path.join(folder(env.XDG_STATE_HOME, home, '.local/state'), 'history'),
})
