// Checks a data folder, also while a bundle uses it. --repair repairs it and needs it for itself. Exit code: 0 clean
// or repaired, 1 findings are left, 2 it could not work.

import { endWithOutput, folderPrefix, giveUp, openFolderTools, readArguments, visible } from './data-tool.mjs'
import { messageOf } from './own-output.mjs'

const usage = `madhava fsck [--data-dir DIR] [--repair] [--json]
  --data-dir DIR  the folder; by default DATA_DIR
  --repair        mend what can be mended: nothing may run on the folder
  --json          one JSON object per line: the findings, then the summary`

const { given, flags } = readArguments(usage, ['repair', 'json'])
const { repair, json } = flags

// a repair is never broken off half-way
const output = endWithOutput({ atOnce: !repair })
/**
 * @param {object} value
 * @param {string} text
 */
const print = (value, text) => process.stdout.write(`${visible(json ? JSON.stringify(value) : text)}\n`)

let place = ''
try {
  const folder = await openFolderTools(given)
  place = folderPrefix(folder.place)
  if (repair) await folder.becomeOwner()
  const summary = await folder.checkFolder({
    repair,
    onFinding: finding => {
      const { code, place, text, mended } = finding
      print(
        { type: 'finding', ...finding },
        `${code} ${place}: ${text}${mended === null ? '' : ` -> ${mended}`}`,
      )
    },
  })
  const { tasks, blobs, documents, findings, mended } = summary
  const outcome = findings === 0 ? 'clean' : `${findings} findings, ${mended} mended`
  print({ type: 'summary', ...summary }, `${tasks} tasks, ${blobs} blobs, ${documents} documents: ${outcome}`)
  process.exitCode = findings === mended ? 0 : 1
  await output.whenDone()
} catch (error) {
  giveUp(`${place}${messageOf(error)}`)
}
