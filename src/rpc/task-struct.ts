// A task's record as the struct Task.
import types from '../../gen/js/rpcinterface_types.js'
import { type KeptArtifact, showArtifact } from '../core/artifacts.ts'
import { type Limits, type RetryPolicy, type TaskRecord, versionOf } from '../core/task.ts'
import type { FieldName } from '../core/task-fields.ts'
import { viewTask } from '../core/task-view.ts'
import type { Waiting } from '../core/wait-reasons.ts'
import { build, i64, i64OrNull, jsonOrNull } from './build.ts'

/** How an error is retried, or null if it is final. */
export const retryStruct = (retry: RetryPolicy | null) =>
  retry ? build(types.RetryPolicy, { ...retry, retryOn: retry.retryOn ?? null }) : null

export const limitsStruct = (limits: Limits) => build(types.TimeLimits, limits)

export const waitingStruct = ({ facts, startsIn, ...waiting }: Waiting) =>
  build(types.Waiting, {
    ...waiting,
    facts: build(types.WaitFacts, {
      dueAt: facts.dueAt ?? null,
      running: facts.running ?? null,
      maxConcurrency: facts.maxConcurrency ?? null,
      rate: facts.rate ?? null,
      slots: facts.slots ?? null,
      busy: facts.busy ?? null,
      trouble: facts.trouble ?? null,
    }),
    startsIn: startsIn && build(types.StartEstimate, startsIn),
  })

const errorStruct = (error: TaskRecord['error']) =>
  error &&
  build(types.TaskError, {
    code: error.code,
    message: error.message,
    detail: jsonOrNull(error.detail),
  })

const artifactStruct = (artifact: KeptArtifact) => {
  const { bytes, ...shown } = showArtifact(artifact)
  return build(types.Artifact, { ...shown, bytes: i64(bytes) })
}

/** Fields that are missing read as undefined, which a struct takes as unset. */
type Shown = {
  [K in FieldName]-?: Exclude<TaskRecord[K], undefined> | (undefined extends TaskRecord[K] ? null : never)
}

/**
 * Everything: fields of the same name and type as they are, the others named here. `resultTruncated` says whether the
 * whole result has to be read elsewhere, `paramsTruncated` the params.
 */
export const taskStruct = (
  task: TaskRecord,
  resultTruncated = task.resultBytes !== null,
  paramsTruncated = false,
) =>
  build(types.Task, {
    ...(task as Shown),
    params: JSON.stringify(task.params),
    rev: i64(task.rev),
    claim: i64(task.claim),
    progress: task.progress && build(types.Progress, task.progress),
    // a task may have the result null; one that has none yet is in no status that shows it
    result:
      task.status === 'SUCCESS' && task.resultBytes === null
        ? JSON.stringify(task.result)
        : jsonOrNull(task.result),
    resultBytes: i64OrNull(task.resultBytes),
    resultTruncated,
    paramsTruncated,
    resultInfo: jsonOrNull(task.resultInfo),
    error: errorStruct(task.error),
    version: versionOf(task),
    retryPolicy: retryStruct(task.retry),
    limits: limitsStruct(task.limits),
    history: task.history.map(entry => build(types.HistoryEntry, entry)),
    waiting: null,
    ownerName: null,
    attempts:
      task.attempts?.map(entry =>
        build(types.TaskAttempt, { ...entry, code: entry.code ?? null, error: errorStruct(entry.error) }),
      ) ?? null,
    artifacts: task.artifacts?.map(artifactStruct) ?? null,
  })

/** As lists show it: with previews of long params and long results, and the name of its owner. */
export const listedTaskStruct = (
  task: TaskRecord,
  { waiting, ownerName }: { waiting: Waiting | null; ownerName: string | null },
) => {
  const { paramsTruncated, resultTruncated, ...shown } = viewTask(task)
  const struct = taskStruct(shown as TaskRecord, resultTruncated, paramsTruncated)
  if (waiting) struct.waiting = waitingStruct(waiting)
  if (ownerName !== null) struct.ownerName = ownerName
  return struct
}
