// What is kept of a task's log, as the struct TaskLog.
import types from '../../gen/js/rpcinterface_types.js'
import type { LogCalls } from '../core/log-reader.ts'
import { isGap, type LogEntry } from '../core/task-log.ts'
import { build, i64 } from './build.ts'

const entryStruct = (entry: LogEntry) =>
  isGap(entry)
    ? build(types.LogEntry, {
        number: i64(entry.to),
        omitted: i64(entry.omitted),
        at: null,
        attempt: null,
        level: null,
        text: null,
      })
    : build(types.LogEntry, {
        number: i64(entry.n),
        omitted: null,
        at: entry.at,
        attempt: entry.attempt,
        level: entry.level,
        text: entry.text,
      })

export const taskLogStruct = ({ entries, last, ended }: Awaited<ReturnType<LogCalls['logEntries']>>) =>
  build(types.TaskLog, { entries: entries.map(entryStruct), last: i64(last), ended })
