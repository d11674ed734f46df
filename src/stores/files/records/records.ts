// State files: one JSON document per task, written under a temporary name and renamed, so that `cat` never shows half.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { TaskRecord } from '../../../core/task.ts'
import { refuseLarge } from '../../../core/task-check.ts'
import type { Disk } from '../disk.ts'
import { readSmall } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Draft } from '../log/writer.ts'
import { judge, readStateFile, type StateFile, textOf } from './state-file.ts'

export interface Records {
  /** Null when there is none, or when the file cannot be used. */
  read(id: SafeId): TaskRecord | null
  /** As `read`, of the text of its state file, where somebody has read that already. */
  parse(id: SafeId, text: string): TaskRecord | null
  /** Whether there is a state file, whole or broken. */
  exists(id: SafeId): boolean
  /** The state file of a new task; where the id is taken, the file stays as it is. */
  create(task: TaskRecord): Draft
  replace(task: TaskRecord): Draft
  /** Replaces at once; not durable by itself. */
  put(task: TaskRecord): void
  remove(id: SafeId): void
}

/** Above so many characters a record is not indented: what nests deep would take a hundred times as many. */
const INDENTED_MAX = 64 * 1024

/** The bytes of a state file: indented for people, one final newline. @throws RECORD_INVALID when it is too large */
const serialize = (task: TaskRecord): string => {
  const json = refuseLarge(textOf(task))
  return `${json.length > INDENTED_MAX ? json : JSON.stringify(task, null, 2)}\n`
}

/** `onBroken` is called for a state file that exists and cannot be used. */
export const createRecords = (layout: Layout, disk: Disk, onBroken: (id: SafeId) => void): Records => {
  const mine = randomBytes(6).toString('hex')
  let count = 0

  const draft = (task: TaskRecord, once: boolean): Draft => {
    count += 1
    const folder = layout.taskFolder(task.id as SafeId)
    const tmpFile = `${folder}/.${task.id}.${mine}${count}.tmp`
    return { tmpFile, file: layout.task(task.id as SafeId), text: serialize(task), once, release: null }
  }

  const readQuickly = (id: SafeId): StateFile | null => {
    try {
      const text = readSmall(layout.task(id))
      return text === null ? null : judge(text, id)
    } catch (error) {
      return isErrno(error, 'ENOENT') ? { state: 'none' } : null
    }
  }

  const taskOf = (id: SafeId, found: StateFile): TaskRecord | null => {
    if (found.state === 'whole') return found.task
    if (found.state !== 'none') onBroken(id)
    return null
  }
  const read: Records['read'] = id => taskOf(id, readQuickly(id) ?? readStateFile(layout, id))

  return {
    exists: id => existsSync(layout.task(id)),
    read,
    parse: (id, text) => taskOf(id, judge(text, id)),
    create: task => draft(task, true),
    replace: task => draft(task, false),
    put(task) {
      const { tmpFile, file, text } = draft(task, false)
      try {
        disk.write(tmpFile, text)
        disk.rename(tmpFile, file)
      } catch (error) {
        disk.unlink(tmpFile)
        throw error
      }
    },
    remove: id => disk.unlink(layout.task(id)),
  }
}
