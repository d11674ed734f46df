// What the sides of a comparison of task queues have in common: a filled queue, then a worker, then the times at which
// its tasks ended.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** From one look at how many tasks have ended to the next. Milliseconds. */
export const LOOK_MS = 500

export interface Turn {
  /** Tasks that ended per second, from the first end to the last. */
  perSecond: number
  /** Milliseconds of CPU per task, of the worker's processes and their children, its start included. */
  cpuMs: number
}

export interface Side {
  readonly name: string
  /** Fills a queue of its own with `count` tasks, then runs a worker until all have ended. Every one must end well. */
  turn(count: number): Promise<Turn>
}

/** @param ends milliseconds, one per task; in any order */
export const rateOf = (ends: readonly number[]): number => {
  const [first, last] = [Math.min(...ends), Math.max(...ends)]
  if (ends.length < 2 || last <= first)
    throw new Error(`${ends.length} tasks ended within ${last - first} ms`)
  return ((ends.length - 1) * 1000) / (last - first)
}

/** Runs a program to its end. @throws when it fails, with what it said */
export const runToEnd = (program: string, args: string[], env: NodeJS.ProcessEnv): void => {
  const { status, stderr, stdout, error } = spawnSync(program, args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${error ?? ''}${stderr}${stdout}`)
}

export interface Running {
  readonly pid: number
  /** @throws with what it has said when it has ended by itself */
  mustRun(): void
  /** SIGTERM, and waits. */
  end(): Promise<void>
}

/** Starts a worker; it ends with this process at the latest. @throws from `end` when it had ended before */
export const startWorker = (program: string, args: string[], env: NodeJS.ProcessEnv): Running => {
  const child: ChildProcess = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', data => {
      said += String(data)
    })
  const closed = once(child, 'close')
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null
  const mustRun = (): void => {
    if (isGone()) throw new Error(`the worker ended by itself:\n${said}`)
  }
  return {
    pid: child.pid ?? 0,
    mustRun,
    async end() {
      const early = isGone()
      child.kill('SIGTERM')
      await closed
      process.off('exit', kill)
      if (early) throw new Error(`the worker ended by itself:\n${said}`)
    },
  }
}
