// State files: one JSON document per task, written aside and renamed, so that `cat` never shows half of one.
import { randomBytes } from 'node:crypto'
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import type { TaskRecord } from '../../core/task.ts'
import type { Staged } from './committer.ts'
import type { Disk } from './disk.ts'
import { isErrno } from './errno.ts'
import type { Layout, SafeId } from './layout.ts'
import { judge, readStateFile, type StateFile } from './state-file.ts'

export interface Records {
  /** Null when there is none, or when the file cannot be used. */
  read(id: SafeId): TaskRecord | null
  /** Whether there is a state file, whole or broken. */
  exists(id: SafeId): boolean
  /** `show` answers false when the id is taken. */
  create(task: TaskRecord): Staged<boolean>
  replace(task: TaskRecord): Staged<void>
  remove(id: SafeId): void
}

/** The bytes of a state file: indented for people, one final newline. */
const serialize = (task: TaskRecord): string => `${JSON.stringify(task, null, 2)}\n`

/** Larger state files are read in another way. */
const BUFFER_BYTES = 64 * 1024
/** A pipe or a link in the place of a state file must neither hold us up nor lead us elsewhere. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** `onBroken` hears of a state file that is there and cannot be used. */
export const createRecords = (layout: Layout, disk: Disk, onBroken: (id: SafeId) => void): Records => {
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  const mine = randomBytes(6).toString('hex')
  let count = 0

  const stage = <T>(task: TaskRecord, show: (aside: string, file: string) => T): Staged<T> => {
    const file = layout.task(task.id as SafeId)
    count += 1
    const aside = `${layout.taskFolder(task.id as SafeId)}/.${task.id}.${mine}${count}.tmp`
    const discard = () => disk.unlink(aside)
    try {
      disk.write(aside, serialize(task))
    } catch (error) {
      discard()
      throw error
    }
    return { show: () => show(aside, file), discard }
  }

  /** The whole text; null when it has to be looked at more closely. @throws ENOENT */
  const readText = (file: string): string | null => {
    // in three calls: the reading of all state files at a start is made of this
    const fd = openSync(file, READ)
    try {
      const bytes = readSync(fd, buffer, 0, BUFFER_BYTES, 0)
      return bytes < BUFFER_BYTES ? buffer.toString('utf8', 0, bytes) : null
    } finally {
      closeSync(fd)
    }
  }

  const readQuickly = (id: SafeId): StateFile | null => {
    try {
      const text = readText(layout.task(id))
      return text === null ? null : judge(text, id)
    } catch (error) {
      return isErrno(error, 'ENOENT') ? { state: 'none' } : null
    }
  }

  const read: Records['read'] = id => {
    const found = readQuickly(id) ?? readStateFile(layout, id)
    if (found.state === 'whole') return found.task
    if (found.state !== 'none') onBroken(id)
    return null
  }

  return {
    exists: id => existsSync(layout.task(id)),
    read,
    create: task =>
      stage(task, (aside, file) => {
        const made = disk.link(aside, file)
        disk.unlink(aside)
        return made
      }),
    replace: task => stage(task, disk.rename),
    remove: id => disk.unlink(layout.task(id)),
  }
}
