// Inside a thread: gives every process that a kind starts the mark of its attempt and its own process group, and
// reports it to the worker. It wraps the few functions of node:child_process that all others use, and ends nothing.
import childProcess from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'
import { MARK, markOf, THREAD } from '../../platform/process-mark.ts'
import { readProcess, ticksNow } from '../../platform/process-proof.ts'
import type { ProcessNote } from '../pool/protocol.ts'

export interface ThreadProcesses {
  /** Processes started from here on belong to this run. */
  begin(run: number, task: string, claim: number): void
  /** From here on they belong to the thread. */
  end(): void
}

/** The options that Node's own spawn, exec, execFile and fork pass on: an internal call, unchanged since Node 0.12. */
interface InnerOptions {
  envPairs?: string[]
  detached?: boolean
}
interface InnerProcess extends childProcess.ChildProcess {
  spawn(options: InnerOptions): unknown
}
type SyncOptions = Record<string, unknown> | null | undefined

/** Node also passes on inherited properties of an environment. */
const withMark = (env: object, mark: string): Record<string, unknown> => {
  const all: Record<string, unknown> = {}
  for (const name in env) all[name] = (env as Record<string, unknown>)[name]
  return { ...all, [MARK]: mark }
}

const ASSIGNMENT = `${MARK}=`
/** On Windows a process group is a console window and cannot be signalled. */
const ownGroup = process.platform !== 'win32'

/**
 * Wraps once per thread, before any kind is loaded. `stopped`: not 0 once the attempt is being ended; then nothing
 * more is started. `tell` is also called before a process is made: the thread may be killed, or blocked, in the call.
 */
export const watchProcesses = (deps: {
  prefix: string
  thread: number
  stopped: Int32Array
  tell: (run: number, note: ProcessNote) => void
}): ThreadProcesses => {
  const { prefix, thread, stopped, tell } = deps
  const ofThread = { run: 0, mark: markOf(prefix, THREAD, thread) }
  let owner = ofThread

  const refuseWhenStopped = (): void => {
    if (Atomics.load(stopped, 0) === 0) return
    const error = new Error('The attempt is being ended: it can start no process any more')
    error.name = 'AbortError'
    throw error
  }

  const someMayStart = (): ProcessNote => ({ event: 'started', pid: null, startedTicks: String(ticksNow()) })
  const before = (): void => {
    refuseWhenStopped()
    tell(owner.run, someMayStart())
  }

  const inner = childProcess.ChildProcess.prototype as InnerProcess
  const { spawn } = inner
  inner.spawn = function (this: InnerProcess, options) {
    // reported first: a thread that is killed while the process is being made can report nothing any more
    before()
    const { run, mark } = owner
    const envPairs = options.envPairs?.filter(pair => !pair.startsWith(ASSIGNMENT)) ?? []
    const result = spawn.call(this, {
      ...options,
      envPairs: [...envPairs, `${ASSIGNMENT}${mark}`],
      ...(ownGroup ? { detached: true } : {}),
    })
    const { pid } = this
    if (pid !== undefined) {
      // it cannot be reaped before this turn of the event loop ends, so the pid is still its own
      tell(run, { event: 'started', pid, startedTicks: readProcess(pid)?.startedTicks ?? null })
      this.once('exit', () => tell(run, { event: 'ended', pid, startedTicks: null }))
    }
    return result
  }

  const marked = (options: SyncOptions): Record<string, unknown> => ({
    ...options,
    ...(ownGroup ? { detached: true } : {}),
    env: withMark(options?.env ?? process.env, owner.mark),
  })
  const isOptions = (value: unknown): value is SyncOptions => value == null || typeof value === 'object'
  /** For (file, args?, options?) and (command, options?). Node itself refuses wrong arguments. */
  const wrapSync = (name: 'spawnSync' | 'execFileSync' | 'execSync'): void => {
    const original = childProcess[name] as (...all: unknown[]) => unknown
    const wrapped = (first: unknown, ...rest: unknown[]): unknown => {
      before()
      if (name !== 'execSync' && (Array.isArray(rest[0]) || rest[0] == null) && isOptions(rest[1]))
        return original(first, rest[0] ?? [], marked(rest[1]))
      if (isOptions(rest[0])) return original(first, marked(rest[0]))
      return original(first, ...rest)
    }
    Object.assign(childProcess, { [name]: Object.defineProperty(wrapped, 'name', { value: name }) })
  }
  for (const name of ['spawnSync', 'execFileSync', 'execSync'] as const) wrapSync(name)
  syncBuiltinESMExports()

  // a thread that the kind starts has no wrappers, but copies this environment
  process.on('worker', () => {
    if (owner.run > 0) tell(owner.run, someMayStart())
  })

  return {
    begin(run, task, claim) {
      owner = { run, mark: markOf(prefix, task, claim) }
      process.env[MARK] = owner.mark
    },
    end() {
      owner = ofThread
      delete process.env[MARK]
    },
  }
}
