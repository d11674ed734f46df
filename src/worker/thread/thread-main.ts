// Runs inside a thread: loads kinds, runs one at a time, reports its outcome. Whatever a kind does, exactly one
// outcome is sent or the thread ends, so the worker never waits in vain.
import { deserialize } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { cutText } from '../../core/cut-text.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { NamedKind } from '../../core/kind.ts'
import { parseResult, parseStoredParams, refuseResult } from '../../core/kind-result.ts'
import type { Json } from '../../core/task.ts'
import { reasonOf } from '../../core/thrown.ts'
import { describeError } from '../describe-error.ts'
import {
  closeGate,
  type FromThread,
  type NumberedRun,
  openGate,
  type RunOutcome,
  type SentRun,
  type ThreadData,
  type ToThread,
  tryBegin,
} from '../pool/protocol.ts'
import { createThreadChildren, type ThreadChildren } from './children.ts'
import { type CodeOrigin, originNow, ownedBy } from './code-origin.ts'
import { createThreadContext, type ThreadContext } from './context.ts'
import { encodeResult } from './encode-result.ts'
import { createThreadFiles, type ThreadFiles } from './files.ts'
import { guardProcess } from './guard.ts'
import { importFailure } from './import.ts'
import { createThreadKinds } from './kinds.ts'
import { watchProcesses } from './processes.ts'
import { createReuseCheck } from './reuse-check.ts'

const { port, memoryMb, results, settings, sharedCores, gate, processes } = workerData as ThreadData
const post = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)
const started = watchProcesses({ ...processes, tell: (run, note) => post({ type: 'process', run, note }) })

guardProcess()
const reuseCheck = createReuseCheck()
const kinds = createThreadKinds(settings, reuseCheck, {
  memoryBytes: memoryMb * 1024 ** 2,
  resultBytes: results.maxBytes,
})

const checkResult = async (
  kind: NamedKind,
  returned: unknown,
  info: Json | undefined,
): Promise<RunOutcome> => {
  const value = await parseResult(kind, returned)
  try {
    return {
      type: 'success',
      result: encodeResult(value, results),
      ...(info === undefined ? {} : { info }),
    }
  } catch (error) {
    if (isMadhavaError(error)) throw error
    throw refuseResult(reasonOf(error))
  }
}

const readCheckpoint = (bytes: Uint8Array | null, tell: (line: string) => void): unknown => {
  if (!bytes) return null
  try {
    return deserialize(bytes)
  } catch {
    tell('the checkpoint could not be read; beginning anew')
    return null
  }
}

interface Current {
  run: number
  origin: CodeOrigin
  controller: AbortController
  kindContext: ThreadContext | null
  children: ThreadChildren
  files: ThreadFiles
  begunAt: number
  before: string[]
  /** Without the preparation for the next run. */
  tookMs: number | null
  /** The kind's file could not be loaded. Node caches that, so no later run in this thread could do better. */
  isUnloaded: boolean
}
let current: Current | null = null
/** Code of an earlier run was seen to go on. */
let hasLateCode = false

const isClean = ({ isUnloaded, before }: Current): boolean =>
  !isUnloaded && !hasLateCode && reuseCheck.isClean(before)

const finish = (outcome: RunOutcome, reusable: boolean): void => {
  if (!current) return
  const { run, kindContext, children, files, begunAt, tookMs } = current
  const ms = tookMs ?? performance.now() - begunAt
  current = null
  started.end()
  // runs that wait in this thread must run in another one
  if (!reusable) closeGate(gate)
  children.close()
  files.close()
  kindContext?.flush()
  kindContext?.close()
  const bytes = outcome.type === 'success' && outcome.result.form !== 'inline' ? outcome.result.bytes : null
  post(
    { type: 'outcome', run, outcome, reusable, onlyFor: kinds.onlyFor(), ms },
    bytes && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
  )
}

const execute = async (mine: Current, request: SentRun): Promise<RunOutcome> => {
  let kind: NamedKind
  try {
    kind = await kinds.load(request.kind, request.file, request.program)
  } catch (error) {
    mine.isUnloaded = true
    return importFailure(error, request.file, describeError(error))
  }
  try {
    const early: string[] = []
    const kindContext = createThreadContext({
      run: mine.run,
      request,
      resume: readCheckpoint(request.resume, line => early.push(line)),
      signal: mine.controller.signal,
      submit: mine.children.submit,
      files: mine.files,
      partialBytes: results.inlineBytes,
      sharedCores,
      post,
    })
    mine.kindContext = kindContext
    for (const line of early) kindContext.context.log(line, 'warn')
    const params = await parseStoredParams(kind, JSON.parse(request.params))
    mine.controller.signal.throwIfAborted()
    mine.before = reuseCheck.before()
    started.begin(mine.run, request.id, request.claim)
    const returned = await kind.run(params, kindContext.context)
    // what the kind did not await is part of its work: if a child or an artifact is refused, the attempt fails
    await mine.files.settled()
    await mine.children.settled()
    return await checkResult(kind, returned, kindContext.info())
  } catch (error) {
    return { type: 'error', error: describeError(error) }
  }
}

const begin = async (run: number, request: SentRun): Promise<void> => {
  const controller = new AbortController()
  const mine: Current = {
    run,
    origin: { kind: request.kind, id: request.id, late: 0 },
    controller,
    kindContext: null,
    children: createThreadChildren({ run, signal: controller.signal, post }),
    files: createThreadFiles({
      signal: controller.signal,
      folder: request.scratch ?? null,
      post: (message, transfer) => post({ type: 'file', run, message }, transfer),
    }),
    begunAt: performance.now(),
    before: [],
    tookMs: null,
    isUnloaded: false,
  }
  current = mine
  const outcome = await ownedBy(mine.origin, () => execute(mine, request))
  mine.tookMs = performance.now() - mine.begunAt
  // its timers are not the kind's
  mine.kindContext?.flush()
  await reuseCheck.settle()
  if (current !== mine) return
  // its mark in the environment was not set by the kind
  started.end()
  finish(outcome, isClean(mine))
  beginNext()
}

/** Runs that were given and have not begun. */
let line: NumberedRun[] = []
const beginNext = (): void => {
  const [next] = line
  const onlyFor = kinds.onlyFor()
  if (!current && next && onlyFor !== null && next.request.kind !== onlyFor) {
    closeGate(gate)
    post({ type: 'refused' })
    return
  }
  if (current || !next || !tryBegin(gate, next.run)) return
  line.shift()
  void begin(next.run, next.request)
}

/** Code that does not belong to the current run: of an earlier run, or of another kind's file. */
const isElsewhere = (origin: CodeOrigin | undefined): origin is CodeOrigin =>
  origin !== undefined &&
  origin !== current?.origin &&
  (origin.id !== null || origin.kind !== current?.origin.kind)

const MAX_MESSAGE = 2_000
const MAX_LATE_LINES = 20
const tellLate = (origin: CodeOrigin, text: string): void => {
  origin.late += 1
  if (origin.late <= MAX_LATE_LINES && text.trim() !== '')
    post({
      type: 'late',
      kind: origin.kind,
      id: origin.id,
      what: 'printed',
      text: cutText(text.trim(), MAX_MESSAGE),
    })
}

const printAs =
  (level: 'info' | 'warn') =>
  (chunk: unknown, ...rest: unknown[]): boolean => {
    const origin = originNow()
    const bytes = chunk as string | Uint8Array
    if (isElsewhere(origin))
      tellLate(origin, typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString())
    else current?.kindContext?.print(bytes, level)
    for (const argument of rest) if (typeof argument === 'function') argument()
    return true
  }
// output of a kind goes to its task's log; the process's own output is JSON lines
process.stdout.write = printAs('info')
process.stderr.write = printAs('warn')

// thrown outside of the promise that `run` returned, for example in a timer's callback
const failOutside = (thrown: unknown): void => {
  const origin = originNow()
  if (isElsewhere(origin)) {
    hasLateCode = true
    post({
      type: 'late',
      kind: origin.kind,
      id: origin.id,
      what: 'threw',
      text: describeError(thrown).message,
    })
    // the current run has no part in it and may finish
    if (current) return
  }
  if (!current) process.exit(1)
  finish({ type: 'error', error: describeError(thrown) }, false)
}
process.on('uncaughtException', failOutside)
// handled directly: on the way to `uncaughtException`, Node would replace a value that is not an error
process.on('unhandledRejection', failOutside)
process.on('exit', () => current?.kindContext?.flush())

port.on('message', (message: ToThread) => {
  if (message.type === 'runs') {
    line.push(...message.runs)
    beginNext()
  } else if (message.type === 'reopen') {
    line = []
    openGate(gate)
  } else if (message.run !== current?.run) return
  else if (message.type === 'submitted') current.children.answered(message.call, message.answer)
  else if (message.type === 'file') current.files.receive(message.message)
  else {
    const reason = new Error(message.reason)
    reason.name = 'AbortError'
    current.controller.abort(reason)
  }
})
// in the next turn: until this file is done, Node listens for an exit that comes too early, and when it ceases to, that
// would look like a change by the first kind, to which this thread would then belong
setImmediate(() => {
  reuseCheck.noteChanges()
  post({ type: 'ready' })
})
