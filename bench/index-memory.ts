// What the index of the files store takes in memory for so many tasks: its columns, beside one object per task in a map
// and a list, as plain code would keep them. `node --import tsx bench/index-memory.ts [--tasks 100000]`
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Summary } from '../src/core/summary.ts'
import { createTaskIndex } from '../src/stores/files/index/task-index.ts'
import { show, table } from './figures.ts'
import { mixedTask } from './sample.ts'

const { values: options } = parseArgs({ options: { tasks: { type: 'string', default: '100000' } } })
const tasks = Number(options.tasks)

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const held = (): number => {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** From its text, as a scan reads it: texts that are equal are not one text. */
const summaryOf = (n: number): Summary => {
  const task = JSON.parse(JSON.stringify(mixedTask(n, Date.now() - tasks * 200))) as Summary
  const { id, kind, status, claim, rev, priority, createdAt, notBefore, expiresAt, finishedAt } = task
  const { owner, parentId, title, description, workersLost, error } = task
  const first = { id, kind, status, claim, rev, priority, createdAt, notBefore, expiresAt, finishedAt }
  return { ...first, owner, parentId, title, description, workersLost, error: error && { code: error.code } }
}

/** Keeps what it made until it has been weighed. */
const kept: unknown[] = []
const weigh = (fill: () => unknown): number => {
  const before = held()
  kept.push(fill())
  return held() - before
}

const inColumns = (): unknown => {
  const index = createTaskIndex()
  for (let n = 0; n < tasks; n += 1) index.put(summaryOf(n))
  return index
}
const asObjects = (): unknown => {
  const byId = new Map<string, Summary>()
  const order: Summary[] = []
  for (let n = 0; n < tasks; n += 1) {
    const summary = summaryOf(n)
    byId.set(summary.id, summary)
    order.push(summary)
  }
  return { byId, order }
}

const rows = [['kept', 'MB', 'bytes a task']]
for (const [name, fill] of Object.entries({ 'in columns': inColumns, 'as objects': asObjects })) {
  const bytes = weigh(fill)
  rows.push([name, show(bytes / 1_000_000), show(bytes / tasks)])
}
console.log(`node ${process.versions.node}, ${show(tasks)} tasks`)
console.log(table(rows))
