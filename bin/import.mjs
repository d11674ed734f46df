// Reads an export from standard input into a store, or compares the two. It needs a data folder for itself. Exit code:
// 0 complete, 1 the export is incomplete, some tasks were refused, or something differs, 2 it could not work.

import { endWithOutput, giveUp, openTransferTools, readArguments, visible } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `madhava import [--data-dir DIR] [--accounts] [--replace] < file.ndjson
       madhava import [--data-dir DIR] --verify [--accounts] < file.ndjson
  --data-dir DIR  files in this folder, made when it is missing; by default the store that STORE_URL and DATA_DIR name
  --accounts      the accounts of the export too: whoever has their passwords can then log in
  --replace       a task that is there and older, by claim and rev, is replaced; with --accounts, an older account too
  --verify        nothing is written: every record and blob is compared with the export; with --accounts, the accounts too`

const { given, flags } = readArguments(usage, ['accounts', 'replace', 'verify'])
const { accounts, replace, verify } = flags

const output = endWithOutput({ atOnce: verify })
/**
 * @param {{ problem: string | null }} summary with the counts beside
 * @param {boolean} isGood
 */
const finish = ({ problem, ...counts }, isGood) => {
  const done = Object.entries(counts).map(([what, count]) => `${count} ${what}`)
  process.stdout.write(`${done.join(', ')}\n`)
  if (problem !== null) process.stderr.write(`${visible(`The export is not whole. ${problem}`)}\n`)
  process.exitCode = problem === null && isGood ? 0 : 1
}
/** @type {(word: string) => (id: string, why: string) => boolean} */
const tell = word => (id, why) => process.stderr.write(`${visible(`${word} ${id}: ${why}`)}\n`)

let place = ''
try {
  const tools = await openTransferTools(given)
  place = tools.place
  await tools.becomeOwner()
  const { importTasks, verifyTasks } = tools
  const input = process.stdin
  if (verify) {
    const summary = await verifyTasks({ input, accounts, onDifference: tell('differs') })
    finish(summary, summary.missing === 0 && summary.different === 0)
  } else {
    const summary = await importTasks({
      input,
      replace,
      accounts,
      onAccount: (account, outcome) => {
        process.stdout.write(`${visible(`${outcome} ${account}`)}\n`)
      },
      onRefused: tell('refused'),
    })
    if (summary.accountsPassedOver > 0)
      process.stderr.write('The accounts of the export were passed over: --accounts takes them in\n')
    finish(summary, summary.refused === 0)
  }
  await output.whenDone()
} catch (error) {
  giveUp(`${place}${messageOf(error)}`)
}
