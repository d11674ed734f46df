// Gives the dashboard's operator a new password if it was lost, or the viewer one, also while a bundle runs. It needs
// write access to the data folder. Exit code: 0 done, 2 it could not work.
import path from 'node:path'
import { built } from './built.mjs'
import { giveUp, openFolderTools, readArguments } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `node bin/reset-password.mjs [--viewer] [--data-dir DIR]
  --viewer        the password of viewer, who sees the dashboard and changes nothing; the first one too
  --data-dir DIR  the folder; by default DATA_DIR
Prints the new password, once. It counts at once, and everybody who is logged in by that name logs in anew.`

const { given, flags } = readArguments(usage, ['viewer'])
const role = flags.viewer ? 'viewer' : 'operator'

try {
  const { place: dir } = await openFolderTools(given)
  const { readConfig } = await built('config')
  const { resetOperator } = await built('dashboard/access/operator')
  const { dashboardPassword, viewerPassword } = given === undefined ? readConfig() : {}
  const configured = (flags.viewer ? viewerPassword : dashboardPassword) ?? null
  const password = await resetOperator({ dataDir: dir, configured, role })
  process.stdout.write(
    `In ${path.resolve(dir)} the login is ${role}, password ${password} (shown this once).\n`,
  )
} catch (error) {
  giveUp(messageOf(error))
}
