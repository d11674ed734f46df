// Writes all tasks of a store with their blobs, and its accounts, to standard output as NDJSON, also while bundles use
// the store. Exit code: 0 complete, 1 some tasks or accounts could not be read, 2 it could not work and the output is
// cut off.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { giveUp, openTransferTools, readArguments, visible } from './data-tool.mjs'
import { cutOff, ignoreStderrErrors, messageOf } from './own-output.mjs'

const usage = `madhava export [--data-dir DIR] > file.ndjson
  --data-dir DIR  files in this folder; by default the store that STORE_URL and DATA_DIR name`

const { given } = readArguments(usage, [])
ignoreStderrErrors()

let place = ''
try {
  const tools = await openTransferTools(given)
  place = tools.place
  const { exportTasks } = tools
  const lines = exportTasks({
    onLeftOut: (place, why) => {
      process.stderr.write(`${visible(`left out ${place}: ${why}`)}\n`)
      process.exitCode = 1
    },
  })
  await pipeline(Readable.from(lines), process.stdout)
} catch (error) {
  const failed = /** @type {NodeJS.ErrnoException} */ (error)
  giveUp(failed.syscall === 'write' ? cutOff(failed) : `${place}${messageOf(error)}`)
}
