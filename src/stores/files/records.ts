// State files: one JSON document per task, written aside and renamed, so that `cat` never shows half of one.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type TaskRecord, taskSchema } from '../../core/task.ts'
import type { Log } from '../../platform/log.ts'
import type { Staged } from './committer.ts'
import type { Disk } from './disk.ts'
import { isErrno } from './errno.ts'
import type { Layout, SafeId } from './layout.ts'

export interface Records {
  /** Null when there is none, or when the file is broken (logged once). */
  read(id: SafeId): TaskRecord | null
  /** `read` in two steps, for who wants to know whether the file is the same as before. */
  text(id: SafeId): string | null
  parse(id: SafeId, text: string | null): TaskRecord | null
  /** Whether there is a state file, whole or broken. */
  exists(id: SafeId): boolean
  /** `show` answers false when the id is taken. */
  create(task: TaskRecord): Staged<boolean>
  replace(task: TaskRecord): Staged<void>
  remove(id: SafeId): void
}

/** The bytes of a state file: indented for people, one final newline. */
const serialize = (task: TaskRecord): string => `${JSON.stringify(task, null, 2)}\n`

export const createRecords = (layout: Layout, disk: Disk, log: Log): Records => {
  const broken = new Set<string>()
  const mine = randomBytes(6).toString('hex')
  let count = 0

  const stage = <T>(task: TaskRecord, show: (aside: string, file: string) => T): Staged<T> => {
    const file = layout.task(task.id as SafeId)
    count += 1
    const aside = path.join(path.dirname(file), `.${task.id}.${mine}${count}.tmp`)
    const discard = () => disk.unlink(aside)
    try {
      disk.write(aside, serialize(task))
    } catch (error) {
      discard()
      throw error
    }
    return { show: () => show(aside, file), discard }
  }

  const text: Records['text'] = id => {
    const file = layout.task(id)
    if (!existsSync(file)) return null
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      if (isErrno(error, 'EISDIR', 'EACCES')) return ''
      throw error
    }
  }

  const parse: Records['parse'] = (id, found) => {
    if (found === null) return null
    try {
      const parsed = taskSchema.safeParse(JSON.parse(found))
      if (parsed.success && parsed.data.id === id) return parsed.data
    } catch {
      // not JSON: told below, like any other broken file
    }
    if (!broken.has(id)) {
      broken.add(id)
      log.error({ id }, 'a state file is broken; the task is left out')
    }
    return null
  }

  return {
    exists: id => existsSync(layout.task(id)),
    text,
    parse,
    read: id => parse(id, text(id)),
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
