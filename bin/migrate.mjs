// Says what this version would change in a store that an earlier one wrote, and changes it. A start does the same by
// itself, so far as it must. Exit code: 0 nothing is left to change, 1 something is, 2 it could not
// work.
import { endWithOutput, giveUp, openTransferTools, readArguments, visible } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `madhava migrate [--data-dir DIR] [--apply]
  --data-dir DIR  the folder; by default the store that STORE_URL and DATA_DIR name
  --apply         change it: nothing may run on a folder; without it nothing is written`

const { given, flags } = readArguments(usage, ['apply'])
const { apply } = flags
const output = endWithOutput({ atOnce: !apply })

let place = ''
try {
  const tools = await openTransferTools(given)
  place = tools.place
  if (apply) await tools.becomeOwner()
  let changes = 0
  await tools.migrate({
    apply,
    onLeft: left => {
      process.exitCode = 1
      process.stderr.write(`${visible(`stays as it is: ${left.place}: ${left.text}`)}\n`)
    },
    onChange: change => {
      changes += 1
      process.stdout.write(`${visible(`${change.place}: ${change.text}`)}\n`)
    },
  })
  const done = apply ? `${changes} changed` : `${changes} to change: --apply does it`
  process.stdout.write(`${changes === 0 ? 'nothing to change' : done}\n`)
  if (!apply && changes > 0) process.exitCode = 1
  await output.whenDone()
} catch (error) {
  giveUp(`${place}${messageOf(error)}`)
}
