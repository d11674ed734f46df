// What runs inside a thread: loads kinds, runs one at a time, reports its outcome. It knows no store and no queue,
// and must not keep the worker waiting: whatever a kind does, exactly one outcome is sent or the thread ends.
import { setImmediate as turn } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { isMadhavaError, MadhavaError, PASSING } from '../core/errors.ts'
import { loadKind, type NamedKind } from '../core/kind.ts'
import type { Json } from '../core/task.ts'
import { importModule, ModuleLoadError } from '../platform/modules.ts'
import { encodeResult } from './encode-result.ts'
import { createThreadChildren, type ThreadChildren } from './thread-children.ts'
import { createThreadContext, type ThreadContext } from './thread-context.ts'
import { watchProcesses } from './thread-processes.ts'
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

const { port, results, settings, crew, gate, processes } = workerData as ThreadData
const post = (message: FromThread, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)
const started = watchProcesses({ ...processes, tell: (run, note) => post({ type: 'process', run, note }) })

const loaded = new Map<string, Promise<NamedKind>>()

const load = (name: string, file: string): Promise<NamedKind> => {
  const known = loaded.get(file)
  if (known) return known
  const loading = importModule(file).then(exported =>
    loadKind(
      name,
      exported,
      file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1),
      settings,
    ),
  )
  loaded.set(file, loading)
  // a file that could not be read may be there the next time
  loading.catch(() => loaded.delete(file))
  return loading
}

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

/** What passes by itself before long. */
const TRANSIENT = ['Immediate', 'CloseReq']

/** What keeps this thread's event loop alive, by type. */
const activeResources = (): string[] =>
  process.getActiveResourcesInfo().filter(type => !TRANSIENT.includes(type))

const leftSomething = (before: readonly string[], after: readonly string[]): boolean => {
  const known = [...before]
  return after.some(type => {
    const place = known.indexOf(type)
    if (place >= 0) known.splice(place, 1)
    return place < 0
  })
}

interface Current {
  run: number
  controller: AbortController
  kindContext: ThreadContext | null
  children: ThreadChildren
  begunAt: number
  before: string[]
}
let current: Current | null = null

const finish = (outcome: Outcome, reusable: boolean): void => {
  if (!current) return
  const { run, kindContext, children, begunAt } = current
  current = null
  started.end()
  // what waits in this thread shall run in another one
  if (!reusable) closeGate(gate)
  children.close()
  kindContext?.flush()
  kindContext?.close()
  const bytes = outcome.type === 'success' && outcome.result.form !== 'inline' ? outcome.result.bytes : null
  post(
    { type: 'outcome', run, outcome, reusable, ms: performance.now() - begunAt },
    bytes && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
  )
}

const execute = async (mine: Current, request: SentRun): Promise<Outcome> => {
  try {
    const kind = await load(request.kind, request.file)
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
    mine.before = activeResources()
    started.begin(mine.run, request.id, request.claim)
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
    controller,
    kindContext: null,
    children: createThreadChildren({ run, signal: controller.signal, post }),
    begunAt: performance.now(),
    before: activeResources(),
  }
  current = mine
  const outcome = await execute(mine, request)
  // let what the kind has just ended be gone before looking for what it left behind
  await turn()
  if (current !== mine) return
  finish(outcome, !leftSomething(mine.before, activeResources()))
  beginNext()
}

/** Runs that were given and have not begun. */
let line: NumberedRun[] = []
const beginNext = (): void => {
  const [next] = line
  if (current || !next || !tryBegin(gate, next.run)) return
  line.shift()
  void begin(next.run, next.request)
}

const print = (chunk: unknown, ...rest: unknown[]): boolean => {
  const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk as Uint8Array).toString()
  current?.kindContext?.print(text)
  for (const argument of rest) if (typeof argument === 'function') argument()
  return true
}
// what a kind prints belongs to its task's log; the process's own output is JSON lines
process.stdout.write = print
process.stderr.write = print

// thrown outside of the promise that `run` returned, for example in a timer's callback
process.on('uncaughtException', error => {
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
post({ type: 'ready' })
