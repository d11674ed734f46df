// What the processes of a started Madhava find in their environment: the settings that the test has given, none that the
// machine or a `.env` happens to have, and everything else as it is, since kinds may need it.
import { SETTINGS } from '../settings.ts'

/** Of PM2 and of node:test: a started Madhava belongs to neither. */
const NOT_FOR_IT = ['PM2_HOME', 'BUNDLE', 'NODE_TEST_CONTEXT', 'NODE_CHANNEL_FD', 'MADHAVA_ATTEMPT']

/**
 * @param settings by the names of docs/settings.md
 * @param outer the environment of the test
 */
export const ownEnvironment = (
  settings: Readonly<Record<string, string>>,
  outer: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> => {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(outer))
    if (value !== undefined && !NOT_FOR_IT.includes(name)) environment[name] = value
  // an empty variable hides the line of a `.env`, whose STORE_URL may be that of a server at work
  for (const name of Object.keys(SETTINGS)) environment[name] = ''
  return { ...environment, ...settings }
}
