// A data folder full of tasks, its state files written directly in the published format: the store finds them.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isFinal } from '../src/core/task.ts'
import { mixedTask } from './sample.ts'

/** `mixed`: with some that wait; `ended`: none that a worker would take. */
export const fillFolder = (dir: string, tasks: number, which: 'mixed' | 'ended'): void => {
  if (tasks === 0) return
  for (let shard = 0; shard < 256; shard += 1)
    mkdirSync(path.join(dir, 'tasks', shard.toString(16).padStart(2, '0')), { recursive: true })
  // all of them young enough for retention to leave them, and none from the future
  const from = Date.now() - tasks * 200
  for (let n = 0, made = 0; made < tasks; n += 1) {
    const task = mixedTask(n, from)
    if (which === 'ended' && !isFinal(task.status)) continue
    made += 1
    const file = path.join(dir, 'tasks', task.id.slice(-2), `${task.id}.json`)
    writeFileSync(file, `${JSON.stringify(task, null, 2)}\n`)
  }
}
