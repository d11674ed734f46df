// Which of two states of a task is the later one, also where a cancel request alone tells them apart. Pure.
import { compareVersions, type TaskRecord } from './task.ts'

/** Tells two versions of a record apart, and is small enough to keep for many tasks. */
export type Version = Pick<TaskRecord, 'claim' | 'rev' | 'revokeRequestedAt'>

export const versionIn = ({ claim, rev, revokeRequestedAt }: Version): Version => ({
  claim,
  rev,
  revokeRequestedAt,
})

export const versionAfter = (task: Version, last: Version): boolean => {
  const order = compareVersions(task, last)
  return order > 0 || (order === 0 && task.revokeRequestedAt !== null && last.revokeRequestedAt === null)
}
