// State files: one JSON document per task, written aside and renamed, so that `cat` never shows half of one.
import { readFileSync, unlinkSync } from 'node:fs'
import { type TaskRecord, taskSchema } from '../../core/task.ts'
import { createFile, replaceFile, syncFolder } from '../../platform/atomic-file.ts'
import type { Log } from '../../platform/log.ts'
import { isErrno } from './errno.ts'
import type { Layout, SafeId } from './layout.ts'

export interface Records {
  /** Null when there is none, or when the file is broken (logged once). */
  read(id: SafeId): TaskRecord | null
  /** False when the id is taken. Durable. */
  create(task: TaskRecord): Promise<boolean>
  /** `durable`: the new name survives a power cut. The bytes always do, so that no cut leaves an empty file. */
  replace(task: TaskRecord, durable: boolean, onVisible: () => void): Promise<void>
  remove(id: SafeId): Promise<void>
}

/** The bytes of a state file: indented for people, one final newline. */
const serialize = (task: TaskRecord): string => `${JSON.stringify(task, null, 2)}\n`

export const createRecords = (layout: Layout, log: Log): Records => {
  const broken = new Set<string>()
  return {
    read(id) {
      let text: string
      try {
        text = readFileSync(layout.task(id), 'utf8')
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return null
        if (!isErrno(error, 'EISDIR', 'EACCES')) throw error
        text = ''
      }
      try {
        const parsed = taskSchema.safeParse(JSON.parse(text))
        if (parsed.success && parsed.data.id === id) return parsed.data
      } catch {
        // not JSON: told below, like any other broken file
      }
      if (!broken.has(id)) {
        broken.add(id)
        log.error({ id }, 'a state file is broken; the task is left out')
      }
      return null
    },
    create: task => createFile(layout.task(task.id as SafeId), serialize(task)),
    async replace(task, durable, onVisible) {
      const id = task.id as SafeId
      await replaceFile(layout.task(id), serialize(task), { durable: false })
      onVisible()
      if (durable) await syncFolder(layout.taskFolder(id))
    },
    async remove(id) {
      try {
        unlinkSync(layout.task(id))
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error
      }
      await syncFolder(layout.taskFolder(id))
    },
  }
}
