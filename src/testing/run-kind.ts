// Runs a kind once, in this process and without a server, with the checks of a worker: the params as a submit checks
// and stores them, the result against its schema and as JSON.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { deserialize, serialize } from 'node:v8'
import {
  checkExample,
  DEFAULT_KIND_SETTINGS,
  type Kind,
  type KindSettings,
  type KindTools,
  loadKind,
  type NamedKind,
  type TaskContext,
} from '../core/kind.ts'
import { parseParams } from '../core/kind-params.ts'
import { parseResult, parseStoredParams, RESULT } from '../core/kind-result.ts'
import {
  cutLine,
  INFO_TOO_LARGE,
  infoJson,
  levelOf,
  linesOf,
  noteOf,
  partialJson,
  percentOf,
} from '../core/reports.ts'
import { strictJson } from '../core/strict-json.ts'
import { parseChildKey, parseSubmission } from '../core/submission.ts'
import { type Json, newTaskId } from '../core/task.ts'
import type { LogLevel } from '../core/task-log.ts'
import { loadKindFile } from '../load-kind-file.ts'
import { createExec } from '../worker/thread/exec.ts'
import { checkUploads, createRunFiles, type GivenUpload, type KeptFile } from './run-files.ts'

export interface ProgressReport {
  /** 0 to 100. */
  percent: number
  note: string | null
  /** Undefined: the report had none, or one that a server leaves out, being over 32 KiB or no JSON. */
  partialResult: Json | undefined
  at: Date
}

export interface LoggedLine {
  text: string
  level: LogLevel
  at: Date
}

/** A child that the kind has submitted. It is not run. */
export interface SubmittedChild {
  id: string
  kind: string
  params: Json
  /** What else was given: `title`, `priority`, `key` and the like. */
  options: { readonly [name: string]: Json }
}

export interface RunKindOptions {
  /** The checkpoint of an earlier attempt; null if left out. It is copied as a store would. */
  resume?: unknown
  /** Fires as a cancel does. */
  signal?: AbortSignal
  /** The time of reports and of lines; the real one if left out. */
  clock?: () => Date
  /** Those that the params may name, by id. */
  uploads?: Readonly<Record<string, GivenUpload>>
  /** 1 if left out. */
  attempt?: number
  /** A new one if left out. */
  id?: string
  /** What `ctx.cores()` answers; 1 if left out. */
  cores?: number
  /** For a kind that is a function of its tools. */
  settings?: Partial<KindSettings>
  /** Called as the kind reports, also when the run fails later. */
  onProgress?: (report: ProgressReport) => void
  onCheckpoint?: (data: unknown) => void
  onLog?: (line: LoggedLine) => void
}

/** What a successful run has left. */
export interface KindRun<R> {
  result: R
  /** Every report. A server keeps the newest of each moment. */
  progress: ProgressReport[]
  /** What the kind gave to `ctx.log` and the output of its commands. What it prints goes to the test's own output. */
  log: LoggedLine[]
  /** Every checkpoint, copied. A server writes one at most every two seconds. */
  checkpoints: unknown[]
  /** By name. */
  artifacts: Record<string, KeptFile>
  submitted: SubmittedChild[]
  /** What the kind gave to `ctx.resultInfo`; null: nothing. */
  resultInfo: Json | null
}

/** INLINE_RESULT_KB as a server has it without settings. */
const PARTIAL_BYTES = 32 * 1024
const TASK = { what: 'the task', code: 'BAD_REQUEST' } as const

/** As JSON, or with the error that names the place. No size is refused here. */
const asJson = (value: unknown, what: Parameters<typeof strictJson>[1]): Json =>
  JSON.parse(strictJson(value, what, Number.MAX_SAFE_INTEGER) ?? 'null') as Json

const copyOf = (data: unknown): unknown => deserialize(serialize(data))

const named = async (kind: unknown, settings: KindSettings): Promise<NamedKind> => {
  if (typeof kind === 'string' || kind instanceof URL) {
    const isUrl = kind instanceof URL || kind.startsWith('file:')
    return loadKindFile(isUrl ? fileURLToPath(kind) : path.resolve(kind), settings)
  }
  const loaded = loadKind('kind', kind, 'the kind', settings)
  await checkExample(loaded, 'the kind')
  return loaded
}

interface RunKind {
  /**
   * Runs a kind once: what `defineKind` returns, or a function of { defineKind, z }. `params` are given as a client
   * gives them; defaults are filled in. Limits of time and memory, retries and rates are a worker's, and do not hold
   * here.
   * @throws KIND_INVALID, PARAMS_INVALID, RESULT_INVALID as a server says them (`code`); what the kind throws
   */
  <P, R, I>(
    kind: Kind<P, R, I> | ((tools: KindTools) => Kind<P, R, I>),
    params?: unknown,
    options?: RunKindOptions,
  ): Promise<KindRun<R>>
  /**
   * The same for a file, by its path from the current folder or its URL: a module, or a program, which is asked with
   * --describe and started as a worker starts it.
   */
  <R = unknown>(file: string | URL, params?: unknown, options?: RunKindOptions): Promise<KindRun<R>>
}

export const runKind: RunKind = async <R>(
  given: unknown,
  params: unknown = {},
  options: RunKindOptions = {},
): Promise<KindRun<R>> => {
  const { resume = null, clock = () => new Date(), uploads = {}, attempt = 1, cores = 1 } = options
  const signal = options.signal ?? new AbortController().signal
  const settings = { ...DEFAULT_KIND_SETTINGS, ...options.settings }
  const kind = await named(given, settings)
  const stored = await parseParams(kind, params)
  await checkUploads(kind, stored, uploads)

  const progress: ProgressReport[] = []
  const log: LoggedLine[] = []
  const checkpoints: unknown[] = []
  const submitted: SubmittedChild[] = []
  const keys = new Map<string, string>()
  let resultInfo: Json | null = null
  let isOver = false
  const id = options.id ?? newTaskId()
  const files = createRunFiles({ params: stored, given: uploads, signal })

  const addLines = (line: string, level: LogLevel = 'info'): void => {
    if (isOver) return
    for (const text of linesOf(line)) {
      const logged = { text: cutLine(text), level: levelOf(level), at: clock() }
      log.push(logged)
      options.onLog?.(logged)
    }
  }
  const context: TaskContext = {
    id,
    attempt,
    signal,
    resume: copyOf(resume),
    cores: () => cores,
    progress(percent, note, partialResult) {
      const bounded = percentOf(percent)
      if (isOver || bounded === null) return
      const partial = partialJson(partialResult, PARTIAL_BYTES, why =>
        addLines(`partial result left out: ${why}`, 'warn'),
      )
      const report = {
        percent: bounded,
        note: noteOf(note),
        partialResult: partial === null ? undefined : (JSON.parse(partial) as Json),
        at: clock(),
      }
      progress.push(report)
      options.onProgress?.(report)
    },
    log: addLines,
    checkpoint(data) {
      if (isOver) return
      checkpoints.push(copyOf(data))
      options.onCheckpoint?.(copyOf(data))
    },
    async submit(child, childParams, childOptions = {}) {
      signal.throwIfAborted()
      const { key, ...fields } = childOptions
      if (key !== undefined) parseChildKey(key)
      const asked = asJson({ kind: child, params: childParams ?? {}, ...fields }, TASK)
      const { kind: name, params: given } = parseSubmission(asked)
      const known = key === undefined ? undefined : keys.get(key)
      if (known !== undefined) return known
      const made = newTaskId()
      if (key !== undefined) keys.set(key, made)
      const { kind: _kind, params: _params, ...others } = asked as { [field: string]: Json }
      submitted.push({
        id: made,
        kind: name,
        params: given ?? {},
        options: { ...others, ...(key === undefined ? {} : { key }) },
      })
      return made
    },
    exec: createExec({ signal, log: addLines, isOver: () => isOver }),
    artifact: files.artifact,
    upload: files.upload,
    get scratch(): string {
      return files.scratch()
    },
    resultInfo(info) {
      const json = infoJson(info)
      if (json === null) addLines(INFO_TOO_LARGE, 'warn')
      else resultInfo = JSON.parse(json) as Json
    },
  }

  try {
    const parsed = await parseStoredParams(kind, stored)
    signal.throwIfAborted()
    const returned = await kind.run(parsed, context)
    await files.settled()
    const result = asJson(await parseResult(kind, returned), RESULT) as R
    return { result, progress, log, checkpoints, artifacts: files.artifacts, submitted, resultInfo }
  } finally {
    isOver = true
    files.close()
  }
}
