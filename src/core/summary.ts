// The part of a record that lists and claims need: what an index keeps of every task. Derived from the table of
// fields.

import type { TaskRecord } from './task.ts'
import { FIELD_ROWS, type FieldsWith, type TASK_FIELDS } from './task-fields.ts'

type Fields = typeof TASK_FIELDS
/** The fields whose row says `summary`: whole, or the part that the row names. */
export type Summary = {
  [K in keyof Pick<TaskRecord, FieldsWith<'summary'>>]: Fields[K]['summary'] extends (
    ...args: never
  ) => infer Part
    ? Part
    : TaskRecord[K]
}

const ROWS = FIELD_ROWS.filter(([, { summary }]) => summary !== undefined)
/** In the order of the record. */
export const SUMMARY_FIELDS: readonly string[] = ROWS.map(([name]) => name)
const MISSING = ROWS.map(([, { optional }]) => (optional ? undefined : null))
/** Copying this is cheaper than adding fields one by one, and a hundred thousand tasks pass through here. */
const EMPTY = Object.fromEntries(SUMMARY_FIELDS.map((name, at) => [name, MISSING[at]]))
const PARTS = ROWS.flatMap(([name, { summary }]) =>
  typeof summary === 'function' ? [[name, summary] as const] : [],
)

/** Keeps nothing else of the record in memory. */
export const summaryOf = (task: Summary): Summary => {
  const summary: Record<string, unknown> = { ...EMPTY }
  for (const name of SUMMARY_FIELDS) summary[name] = task[name as keyof Summary]
  for (const [name, part] of PARTS) summary[name] = part(summary[name])
  return summary as Summary
}

/** A summary as a row of JSON, in the order of `SUMMARY_FIELDS`. */
export const rowOf = (summary: Summary): unknown[] =>
  SUMMARY_FIELDS.map(name => summary[name as keyof Summary])

/** A summary from such a row, which begins after `behind` other values. */
export const fromRow = (row: readonly unknown[], behind: number): Summary => {
  const summary: Record<string, unknown> = { ...EMPTY }
  for (let at = 0; at < SUMMARY_FIELDS.length; at += 1)
    summary[SUMMARY_FIELDS[at] as string] = row[behind + at] ?? MISSING[at]
  return summary as Summary
}
