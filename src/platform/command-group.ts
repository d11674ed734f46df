// A command that leads a process group of its own: signals the whole group, ends it when asked or when its leader has
// ended, and says when all of it is over.
import type { ChildProcess } from 'node:child_process'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { groupLives } from './ending-processes.ts'

/** How long the rest of the group, and holders of its output, may live after the command's own end. */
const LINGER_MS = 500
const LOOK_MS = 10

/** Signals the whole group, or only the command where there are no groups. */
export const signalGroup = (child: ChildProcess, name: NodeJS.Signals): void => {
  try {
    if (process.platform === 'win32' || child.pid === undefined) child.kill(name)
    else process.kill(-child.pid, name)
  } catch {
    // it has ended meanwhile
  }
}

/** Ends what the command left in its group. */
const endGroup = async (child: ChildProcess): Promise<void> => {
  const lives = (): boolean =>
    child.pid !== undefined && process.platform !== 'win32' && groupLives(child.pid)
  if (!lives()) return
  signalGroup(child, 'SIGTERM')
  for (const end = performance.now() + LINGER_MS; lives() && performance.now() < end; ) await wait(LOOK_MS)
  if (lives()) signalGroup(child, 'SIGKILL')
}

export interface RunningCommand {
  /** Why it is being ended; null: it is not. */
  stopped: () => 'timeout' | AbortSignal | null
  /**
   * Settles when the command has ended, its output is closed, and its group is gone. Rejects with the system's error
   * when it could not be started.
   */
  exited: Promise<{ exitCode: number | null; signal: string | null }>
}

/**
 * Ends the group on a signal or a timeout: SIGTERM, then SIGKILL after `killAfter`. Times are milliseconds. `isBehind`:
 * whether its output is still being read, so that it must not be closed yet.
 */
export const watchOver = (
  child: ChildProcess,
  options: { killAfter: number; timeout?: number | undefined; isBehind?: () => boolean },
  signals: readonly AbortSignal[],
): RunningCommand => {
  const { killAfter, timeout, isBehind = () => false } = options
  const timers: NodeJS.Timeout[] = []
  const later = (ms: number, act: () => void): void => void timers.push(setTimeout(act, ms))
  let stopped: ReturnType<RunningCommand['stopped']> = null
  const stop = (why: 'timeout' | AbortSignal): void => {
    if (stopped !== null) return
    stopped = why
    signalGroup(child, 'SIGTERM')
    later(killAfter, () => signalGroup(child, 'SIGKILL'))
  }
  const listeners = signals.map(signal => ({ signal, hear: () => stop(signal) }))
  for (const { signal, hear } of listeners) signal.addEventListener('abort', hear, { once: true })
  if (timeout !== undefined) later(timeout, () => stop('timeout'))
  const closeStreams = (): void => {
    if (isBehind()) later(LINGER_MS, closeStreams)
    else for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  }

  const ended = new Promise<{ exitCode: number | null; signal: string | null }>((resolve, reject) => {
    // the process could not be created; later errors, of a signal that could not be sent, change nothing
    child.on('error', error => child.pid === undefined && reject(error))
    child.once('exit', () => {
      later(LINGER_MS, () => void endGroup(child))
      // a process that has left the group may hold the output open
      later(3 * LINGER_MS, closeStreams)
    })
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }))
  })
  const exited = ended.finally(async () => {
    for (const timer of timers) clearTimeout(timer)
    for (const { signal, hear } of listeners) signal.removeEventListener('abort', hear)
    await endGroup(child)
    // the handle of a process is closed in the turn after its end, and until then a thread seems to be busy
    await turn()
    await turn()
  })
  return { stopped: () => stopped, exited }
}
