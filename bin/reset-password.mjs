// Gives the dashboard's operator a new password if it was lost, or the viewer one, also while bundles run. It needs
// write access to the data folder, or the Redis of the settings. Exit code: 0 done, 2 it could not work.
import { giveUp, openLoginTools, readArguments } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `madhava reset-password [--viewer [--remove]] [--data-dir DIR]
  --viewer        the password of viewer, who sees the dashboard and changes nothing; the first one too
  --remove        no new password: there is no viewer any more
  --data-dir DIR  the folder; by default the store of the settings: DATA_DIR, or the Redis of STORE_URL, where the
                  password is that of all bundles
Prints the new password, once. It counts at once, and everybody who is logged in by that name logs in anew.`

const { given, flags } = readArguments(usage, ['viewer', 'remove'])
if (flags.remove && !flags.viewer)
  giveUp(`--remove goes with --viewer: there is always an operator\n${usage}`)
/** @type {'operator' | 'viewer'} */
const role = flags.viewer ? 'viewer' : 'operator'

try {
  const tools = await openLoginTools(given, role)
  try {
    if (flags.remove) {
      await tools.removeViewer()
      process.stdout.write(`In ${tools.place} there is no viewer any more.\n`)
    } else {
      const password = await tools.resetLogin()
      process.stdout.write(
        `In ${tools.place} the login is ${role}, password ${password} (shown this once).\n`,
      )
    }
  } finally {
    await tools.close()
  }
} catch (error) {
  giveUp(messageOf(error))
}
