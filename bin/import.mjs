// Reads an export from standard input into a data folder, which must have no other user.
// Exit code: 0 all of it, 1 the export is not whole or some tasks were refused, 2 it could not work.
import { giveUp, openTools, readArguments } from './data-tool.mjs'

const usage = `node bin/import.mjs [--data-dir DIR] [--replace] < file.ndjson
  --data-dir DIR  the folder, made when it is missing; by default DATA_DIR
  --replace       a task that is there and older, by claim and rev, is replaced`

const { 'data-dir': given, replace } = readArguments(usage, { replace: { type: 'boolean', default: false } })

try {
  const { importFolder, dir, clock } = await openTools(given)
  const summary = await importFolder({
    dir,
    input: process.stdin,
    clock,
    replace,
    onRefused: (id, why) => process.stderr.write(`refused ${id}: ${why}\n`),
  })
  const { problem, ...counts } = summary
  const done = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  process.stdout.write(`${done.join(', ')}\n`)
  if (problem !== null) process.stderr.write(`The export is not whole. ${problem}\n`)
  process.exitCode = problem === null && summary.refused === 0 ? 0 : 1
} catch (error) {
  giveUp(error.message)
}
