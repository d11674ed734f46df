// Writes every task of a data folder and its blobs to standard output as NDJSON, also while a bundle runs on it.
// Exit code: 0 all of it, 1 some state files could not be read, 2 it could not work and the output is cut off.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { giveUp, openTools, readArguments } from './data-tool.mjs'

const usage = `node bin/export.mjs [--data-dir DIR] > file.ndjson
  --data-dir DIR  the folder; by default DATA_DIR`

const { 'data-dir': given } = readArguments(usage, {})

try {
  const { exportFolder, dir, clock } = await openTools(given)
  const lines = exportFolder({
    dir,
    clock,
    onLeftOut: (place, why) => {
      process.stderr.write(`left out ${place}: ${why}\n`)
      process.exitCode = 1
    },
  })
  await pipeline(Readable.from(lines), process.stdout)
} catch (error) {
  giveUp(error.message)
}
