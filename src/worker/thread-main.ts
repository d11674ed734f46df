// What runs inside a thread: loads kinds, runs one at a time, reports its outcome. It knows no store and no queue,
// and must not keep the worker waiting: whatever a kind does, exactly one outcome is sent or the thread ends.
import { deserialize } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { isMadhavaError, MadhavaError, PASSING } from '../core/errors.ts'
import type { NamedKind } from '../core/kind.ts'
import type { Json } from '../core/task.ts'
import { ModuleLoadError } from '../platform/modules.ts'
import { encodeResult } from './encode-result.ts'
import { createThreadChildren, type ThreadChildren } from './thread-children.ts'
import { createThreadContext, type ThreadContext } from './thread-context.ts'
import { guardProcess } from './thread-guard.ts'
import { importFailure } from './thread-import.ts'
import { createThreadKinds } from './thread-kinds.ts'
import { type Owner, ownedBy, ownerNow } from './thread-owner.ts'
import {
  closeGate,
  type FromThread,
  type NumberedRun,
  type Outcome,
  openGate,
  type RunError,
  type SentRun,
  type ThreadData,
  type ToThread,
  tryBegin,
} from './thread-protocol.ts'
import { createTidy } from './thread-tidy.ts'

const { port, results, settings, crew, gate } = workerData as ThreadData
const post = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)

guardProcess()
const tidy = createTidy()
const kinds = createThreadKinds(settings, tidy)

const MAX_MESSAGE = 2_000

/** The name and the code of an error, as `retryOn` may list them, such as TypeError and ECONNREFUSED. */
const namesOf = (thrown: unknown): string[] => {
  if (!(thrown instanceof Error) || isMadhavaError(thrown)) return []
  const { name, code } = thrown as NodeJS.ErrnoException
  const names = [name, code].filter(word => typeof word === 'string' && word !== '').map(word => String(word))
  return [...new Set(names)].map(word => word.slice(0, 100))
}

/** Whatever was thrown, as plain data. Nothing here may throw: getters of a thrown object can. */
const describe = (thrown: unknown): RunError => {
  try {
    if (thrown instanceof ModuleLoadError)
      return {
        code: 'KIND_INVALID',
        message: thrown.message.slice(0, MAX_MESSAGE),
        stack: null,
        names: [],
        retryable: false,
      }
    const error = thrown instanceof Error ? thrown : null
    const message = error ? String(error.message || error.name) : String(thrown)
    const ours = isMadhavaError(thrown)
    return {
      code: ours ? thrown.code : 'KIND_FAILED',
      message: message.slice(0, MAX_MESSAGE),
      stack: error ? String(error.stack).slice(0, 10_000) : null,
      names: namesOf(thrown),
      retryable: !ours || PASSING.includes(thrown.code),
    }
  } catch {
    return {
      code: 'KIND_FAILED',
      message: 'The kind threw something unreadable',
      stack: null,
      names: [],
      retryable: true,
    }
  }
}

const problems = (error: { issues: { path: PropertyKey[]; message: string }[] }): string =>
  error.issues
    .slice(0, 10)
    .map(issue => `${issue.path.map(String).join('.') || 'it'}: ${issue.message}`)
    .join('; ')

const checkParams = async (kind: NamedKind, request: SentRun) => {
  // stored params were checked when they came; the kind's file may have changed since
  const parsed = await kind.params.safeParseAsync(JSON.parse(request.params))
  if (parsed.success) return parsed.data
  throw new MadhavaError(
    'PARAMS_INVALID',
    `The stored params no longer fit the kind: ${problems(parsed.error)}`,
  )
}

const checkResult = async (kind: NamedKind, returned: unknown, info: Json | undefined): Promise<Outcome> => {
  try {
    let parsed = await kind.result.safeParseAsync(returned)
    if (!parsed.success && returned === undefined) parsed = await kind.result.safeParseAsync(null)
    if (parsed.success)
      return {
        type: 'success',
        result: encodeResult(parsed.data, results),
        ...(info === undefined ? {} : { info }),
      }
    throw new TypeError(problems(parsed.error))
  } catch (error) {
    if (isMadhavaError(error, 'RESULT_TOO_LARGE')) throw error
    throw new MadhavaError(
      'RESULT_INVALID',
      `The result does not fit the schema of the kind: ${describe(error).message}`,
    )
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
  owner: Owner
  controller: AbortController
  kindContext: ThreadContext | null
  children: ThreadChildren
  begunAt: number
  before: string[]
  /** Without what is done for the next run after it. */
  tookMs: number | null
  /** The file of its kind could not be loaded: Node keeps that, so no later run in this thread could do better. */
  isUnloaded: boolean
}
let current: Current | null = null
/** Code of an earlier run has shown that it goes on. */
let isHaunted = false

const isClean = ({ isUnloaded, before }: Current): boolean =>
  !isUnloaded && !isHaunted && tidy.isClean(before)

const finish = (outcome: Outcome, reusable: boolean): void => {
  if (!current) return
  const { run, kindContext, children, begunAt, tookMs } = current
  const ms = tookMs ?? performance.now() - begunAt
  current = null
  // what waits in this thread shall run in another one
  if (!reusable) closeGate(gate)
  children.close()
  kindContext?.flush()
  kindContext?.close()
  const bytes = outcome.type === 'success' && outcome.result.form !== 'inline' ? outcome.result.bytes : null
  post(
    { type: 'outcome', run, outcome, reusable, onlyFor: kinds.onlyFor(), ms },
    bytes && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
  )
}

const execute = async (mine: Current, request: SentRun): Promise<Outcome> => {
  let kind: NamedKind
  try {
    kind = await kinds.load(request.kind, request.file)
  } catch (error) {
    mine.isUnloaded = true
    return importFailure(error, request.file, describe(error))
  }
  try {
    const early: string[] = []
    const kindContext = createThreadContext({
      run: mine.run,
      request,
      resume: readCheckpoint(request.resume, line => early.push(line)),
      signal: mine.controller.signal,
      submit: mine.children.submit,
      partialBytes: results.inlineBytes,
      crew,
      post,
    })
    mine.kindContext = kindContext
    for (const line of early) kindContext.context.log(line)
    const params = await checkParams(kind, request)
    mine.controller.signal.throwIfAborted()
    mine.before = tidy.before()
    const returned = await kind.run(params, kindContext.context)
    // a child that nobody waited for is part of what the kind did; one that is refused fails the attempt
    await mine.children.settled()
    return await checkResult(kind, returned, kindContext.info())
  } catch (error) {
    return { type: 'error', error: describe(error) }
  }
}

const begin = async (run: number, request: SentRun): Promise<void> => {
  const controller = new AbortController()
  const mine: Current = {
    run,
    owner: { kind: request.kind, id: request.id, late: 0 },
    controller,
    kindContext: null,
    children: createThreadChildren({ run, signal: controller.signal, post }),
    begunAt: performance.now(),
    before: [],
    tookMs: null,
    isUnloaded: false,
  }
  current = mine
  const outcome = await ownedBy(mine.owner, () => execute(mine, request))
  mine.tookMs = performance.now() - mine.begunAt
  // its timers are no leftovers of the kind
  mine.kindContext?.flush()
  await tidy.settle()
  if (current !== mine) return
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

/** Code that does not belong to the run that goes on: of an earlier one, or of another kind's file. */
const isElsewhere = (owner: Owner | undefined): owner is Owner =>
  owner !== undefined && owner !== current?.owner && (owner.id !== null || owner.kind !== current?.owner.kind)

const MAX_LATE_LINES = 20
const tellLate = (owner: Owner, text: string): void => {
  owner.late += 1
  if (owner.late <= MAX_LATE_LINES && text.trim() !== '')
    post({
      type: 'stray',
      kind: owner.kind,
      id: owner.id,
      what: 'printed',
      text: text.trim().slice(0, MAX_MESSAGE),
    })
}

const print = (chunk: unknown, ...rest: unknown[]): boolean => {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString()
  const owner = ownerNow()
  if (isElsewhere(owner)) tellLate(owner, text)
  else current?.kindContext?.print(text)
  for (const argument of rest) if (typeof argument === 'function') argument()
  return true
}
// what a kind prints belongs to its task's log; the process's own output is JSON lines
process.stdout.write = print
process.stderr.write = print

// thrown outside of the promise that `run` returned, for example in a timer's callback
process.on('uncaughtException', error => {
  const owner = ownerNow()
  if (isElsewhere(owner)) {
    isHaunted = true
    post({ type: 'stray', kind: owner.kind, id: owner.id, what: 'threw', text: describe(error).message })
    // the run that goes on has no part in it, and ends in peace
    if (current) return
  }
  if (!current) process.exit(1)
  finish({ type: 'error', error: describe(error) }, false)
})
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
  else {
    const reason = new Error(message.reason)
    reason.name = 'AbortError'
    current.controller.abort(reason)
  }
})
tidy.noteChanges()
post({ type: 'ready' })
