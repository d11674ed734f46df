// What runs inside a thread: loads kinds, runs one at a time, reports its outcome. It knows no store and no queue,
// and must not keep the worker waiting: whatever a kind does, exactly one outcome is sent or the thread ends.
import { setImmediate as turn } from 'node:timers/promises'
import { deserialize } from 'node:v8'
import { workerData } from 'node:worker_threads'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { loadKind, type NamedKind } from '../core/kind.ts'
import { parseWith, wordsOfProblems } from '../core/kind-schema.ts'
import { refuseBeforeSchema } from '../core/strict-json.ts'
import type { Json } from '../core/task.ts'
import { reasonOf } from '../core/thrown.ts'
import { importModule } from '../platform/modules.ts'
import { describeError } from './describe-error.ts'
import { encodeResult, RESULT } from './encode-result.ts'
import { createThreadChildren, type ThreadChildren } from './thread-children.ts'
import { createThreadContext, type ThreadContext } from './thread-context.ts'
import { watchProcesses } from './thread-processes.ts'
import {
  closeGate,
  type FromThread,
  type NumberedRun,
  type Outcome,
  openGate,
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

/** What a check of the kind's own throws is no failure of this attempt: the value does not fit. */
const parseFor = async (schema: NamedKind['result'], value: unknown, refuse: Refuse) => {
  try {
    return await parseWith(schema, value)
  } catch (error) {
    throw refuse(`a check of the kind threw: ${reasonOf(error)}`, error)
  }
}
type Refuse = (why: string, cause?: unknown) => MadhavaError

const checkParams = async (kind: NamedKind, request: SentRun) => {
  const refuse: Refuse = (why, cause) =>
    new MadhavaError('PARAMS_INVALID', `The stored params no longer fit the kind: ${why}`, { cause })
  // stored params were checked when they came; the kind's file may have changed since
  const parsed = await parseFor(kind.params, JSON.parse(request.params), refuse)
  if (parsed.success) return parsed.data as Json
  throw refuse(wordsOfProblems(parsed.error))
}

const checkResult = async (kind: NamedKind, returned: unknown, info: Json | undefined): Promise<Outcome> => {
  const refuse: Refuse = (why, cause) =>
    new MadhavaError('RESULT_INVALID', `The result does not fit the schema of the kind: ${why}`, { cause })
  refuseBeforeSchema(returned, RESULT)
  let parsed = await parseFor(kind.result, returned, refuse)
  if (!parsed.success && returned === undefined) parsed = await parseFor(kind.result, null, refuse)
  if (!parsed.success) throw refuse(wordsOfProblems(parsed.error))
  try {
    return {
      type: 'success',
      result: encodeResult(parsed.data, results),
      ...(info === undefined ? {} : { info }),
    }
  } catch (error) {
    if (isMadhavaError(error)) throw error
    throw refuse(reasonOf(error))
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
    return { type: 'error', error: describeError(error) }
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
  current?.kindContext?.print(chunk as string | Uint8Array)
  for (const argument of rest) if (typeof argument === 'function') argument()
  return true
}
// what a kind prints belongs to its task's log; the process's own output is JSON lines
process.stdout.write = print
process.stderr.write = print

// thrown outside of the promise that `run` returned, for example in a timer's callback
const failOutside = (thrown: unknown): void => {
  if (!current) process.exit(1)
  finish({ type: 'error', error: describeError(thrown) }, false)
}
process.on('uncaughtException', failOutside)
// as it was thrown: on its own way to the one above, Node puts an error without words in the place of what is none
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
  else {
    const reason = new Error(message.reason)
    reason.name = 'AbortError'
    current.controller.abort(reason)
  }
})
post({ type: 'ready' })
