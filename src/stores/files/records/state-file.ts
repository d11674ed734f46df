// A record as text: what a state file holds, with the reason when it cannot be used; and a record as a line of the
// write-ahead log and of the feed. It only reads.
import { scanJson } from '../../../core/json-scan.ts'
import { formatFirstProblem } from '../../../core/problems.ts'
import { RECORD_VERSION, type TaskRecord } from '../../../core/task.ts'
import { checkTask } from '../../../core/task-check.ts'
import { createUpgrade } from '../../../core/upgrade.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'

export type StateFile =
  | { state: 'whole'; task: TaskRecord }
  | { state: 'none' }
  /** Written by a later version of Madhava. It may be sound; this version cannot judge it. */
  | { state: 'later'; why: string }
  | { state: 'broken'; why: string }

/** No state file that we write is nearly as large: a body has at most 1 MiB. */
const BYTES_MAX = 64 * 1024 * 1024

/** Above so many characters the depth is looked at before the text is parsed. */
const LOOK_FIRST = 64 * 1024
/** Far deeper than anything that is accepted or stored. */
const DEPTH_MAX = 10_000

const upgrade = createUpgrade()

/** The record in the present version, or why there is none. Never `none`. */
export const judge = (text: string, id: SafeId): StateFile => {
  let value: unknown
  try {
    value = upgrade(JSON.parse(text))
  } catch {
    return { state: 'broken', why: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
  if (typeof version === 'number' && Number.isInteger(version) && version > RECORD_VERSION)
    return { state: 'later', why: `it has version ${version}, this program knows ${RECORD_VERSION}` }
  try {
    const parsed = checkTask(value)
    if (!parsed.success) return { state: 'broken', why: formatFirstProblem(parsed.error, 'the document') }
    if (parsed.data.id !== id) return { state: 'broken', why: 'its id is not that of its name' }
    return { state: 'whole', task: parsed.data }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { state: 'broken', why: 'it nests too deep' }
  }
}

/** @throws what the file system says, when that is not about this file */
export const readStateFile = (layout: Layout, id: SafeId): StateFile => readAsStateFile(layout.task(id), id)

/** As `readStateFile`, for a file in another place. */
export const readAsStateFile = (file: string, id: SafeId): StateFile => {
  try {
    const text = readPlainSync(file, BYTES_MAX).toString()
    // parsing a file of nothing but brackets takes seconds, the depth of it milliseconds
    if (text.length > LOOK_FIRST && scanJson(text, DEPTH_MAX).depth > DEPTH_MAX)
      return { state: 'broken', why: 'it nests too deep' }
    return judge(text, id)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { state: 'none' }
    if (isErrno(error, 'EFTYPE')) return { state: 'broken', why: 'it is not a regular file' }
    if (isErrno(error, 'EFBIG')) return { state: 'broken', why: 'it is too large' }
    if (isErrno(error, 'EACCES', 'EPERM', 'EIO', 'EISDIR', 'ELOOP'))
      return { state: 'broken', why: `it cannot be read (${error.code})` }
    throw error
  }
}

/** A record is made text once for the log and the feed. */
const texts = new WeakMap<TaskRecord, string>()

/** The JSON of a record in one line. */
export const textOf = (task: TaskRecord): string => {
  const known = texts.get(task)
  if (known !== undefined) return known
  const text = JSON.stringify(task)
  texts.set(task, text)
  return text
}

/** One line of NDJSON, with its end. Records are not changed after they have been given here. */
export const toLine = (entry: { type: string; task?: TaskRecord }): string => {
  const { task, ...rest } = entry
  if (!task) return `${JSON.stringify(entry)}\n`
  return `${JSON.stringify(rest).slice(0, -1)},"task":${textOf(task)}}\n`
}
