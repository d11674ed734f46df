// Gives the dashboard's operator a new password if it was lost, also while a bundle runs. It needs write access to the
// data folder. Exit code: 0 done, 2 it could not work.
import path from 'node:path'
import { built } from './built.mjs'
import { giveUp, openFolderTools, readArguments } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `node bin/reset-password.mjs [--data-dir DIR]
  --data-dir DIR  the folder; by default DATA_DIR
Prints the new password, once. It counts at once, and everybody who is logged in logs in anew.`

const { given } = readArguments(usage, [])

try {
  const { place: dir } = await openFolderTools(given)
  const { readConfig } = await built('config')
  const { resetOperator } = await built('dashboard/operator')
  const configured = given === undefined ? readConfig().dashboardPassword : null
  const password = await resetOperator({ dataDir: dir, configured })
  process.stdout.write(
    `In ${path.resolve(dir)} the login is operator, password ${password} (shown this once).\n`,
  )
} catch (error) {
  giveUp(messageOf(error))
}
