// The types that callers use instead of generated structs: plain objects, numbers for i64, null for unset fields, and
// parsed JSON.
import thrift from 'thrift'
import type structs from '../../gen/js/structs.js'
import type { Int64 } from '../../gen/js/structs.js'
import type { LogEntries, LogEntry, LogLine, Status, WaitReason } from './task.ts'

export type RpcStatus = Status

type Struct<Name extends keyof typeof structs> = InstanceType<(typeof structs)[Name]>

/** A generated struct as a plain object. */
export type Plain<T> = T extends Int64
  ? number
  : T extends string | number | boolean | Buffer
    ? T
    : T extends (infer Element)[]
      ? Plain<Element>[]
      : {
          [K in keyof T]-?: undefined extends T[K] ? Plain<Exclude<T[K], undefined>> | null : Plain<T[K]>
        }

export interface RpcTask
  extends Omit<Plain<Struct<'Task'>>, 'status' | 'params' | 'result' | 'resultInfo' | 'error' | 'waiting'> {
  status: RpcStatus
  params: unknown
  /**
   * Partial in PROGRESS, final in SUCCESS. Null if there is none, or if it is too large: then `resultTruncated` is
   * true, and `result()` reads it. In pages a long result is a text with its beginning.
   */
  result: unknown
  resultInfo: unknown
  error: { code: string; message: string; detail: unknown } | null
  /** Only in pages that were asked for it: why the task waits. */
  waiting: RpcWaiting | null
}

export interface RpcWaiting extends Plain<Struct<'Waiting'>> {
  reason: WaitReason
}

export interface RpcKind extends Omit<Plain<Struct<'Kind'>>, 'paramsSchema' | 'resultSchema' | 'example'> {
  /** JSON Schema. */
  paramsSchema: unknown
  /** JSON Schema. */
  resultSchema: unknown
  example: unknown
}

export type RpcHostStatus = Plain<Struct<'HostStatus'>>
export type RpcQueueStatus = Plain<Struct<'QueueStatus'>>
export interface RpcPage {
  tasks: RpcTask[]
  /** Continues after this page; null at the end. */
  nextCursor: string | null
}

/** The fields of a struct as input: all optional; times also as a Date. */
type InputOf<
  Name extends keyof typeof structs,
  Times extends keyof Struct<Name> = never,
  Other extends keyof Struct<Name> = never,
> = {
  [K in Exclude<keyof Struct<Name>, Other>]?: K extends Times
    ? Date | string
    : Exclude<Struct<Name>[K], undefined>
}

/** The fields of the struct SubmitOptions. */
export interface RpcSubmitOptions
  extends InputOf<
    'SubmitOptions',
    'notBefore' | 'expiresAt',
    'priority' | 'retryPolicy' | 'neverRetry' | 'limits'
  > {
  /** 0 to 9, 9 runs first. */
  priority?: number
  /** Null: an error is final, even if the kind would retry. */
  retry?: InputOf<'RetryPolicy'> | null
  limits?: InputOf<'TimeLimits'>
}

/** The fields of the struct TaskFilter but for `sort`. */
export interface RpcFilter
  extends InputOf<
    'TaskFilter',
    'createdFrom' | 'createdTo' | 'finishedFrom' | 'finishedTo',
    'statuses' | 'sort'
  > {
  statuses?: RpcStatus[]
}

/** A struct as a plain object. @throws RangeError for an i64 that a number cannot hold exactly */
export const plain = <T>(value: T): Plain<T> => {
  const convert = (one: unknown): unknown => {
    if (one instanceof thrift.Int64) {
      const number = one.toNumber()
      if (Number.isSafeInteger(number)) return number
      throw new RangeError('The server sent a number that is too large')
    }
    if (typeof one !== 'object' || one === null || Buffer.isBuffer(one)) return one
    if (Array.isArray(one)) return one.map(convert)
    return Object.fromEntries(Object.entries(one).map(([name, field]) => [name, convert(field)]))
  }
  return convert(value) as Plain<T>
}

const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json))

export const toRpcWaiting = (waiting: Plain<Struct<'Waiting'>>): RpcWaiting => ({
  ...waiting,
  reason: waiting.reason as WaitReason,
})

export const toRpcTask = (struct: Struct<'Task'>): RpcTask => {
  const task = plain(struct)
  return {
    ...task,
    status: task.status as RpcStatus,
    params: parsed(task.params),
    result: parsed(task.result),
    resultInfo: parsed(task.resultInfo),
    error: task.error && { ...task.error, detail: parsed(task.error.detail) },
    waiting: task.waiting && toRpcWaiting(task.waiting),
  }
}

const toLogEntry = (struct: Struct<'LogEntry'>): LogEntry => {
  const { number, omitted, at, attempt, level, text } = plain(struct)
  if (omitted !== null) return { omitted, from: number - omitted + 1, to: number }
  return { n: number, at, attempt, level: (level ?? 'info') as LogLine['level'], text: text ?? '' }
}

export const toLogEntries = (struct: Struct<'TaskLog'>): LogEntries => ({
  entries: struct.entries.map(toLogEntry),
  last: plain(struct.last),
  ended: struct.ended,
})

export const toRpcKind = (struct: Struct<'Kind'>): RpcKind => {
  const kind = plain(struct)
  return {
    ...kind,
    paramsSchema: parsed(kind.paramsSchema),
    resultSchema: parsed(kind.resultSchema),
    example: parsed(kind.example),
  }
}
