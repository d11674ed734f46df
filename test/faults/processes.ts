// Worker processes as PM2 starts them, without PM2: to be killed, frozen and stopped one by one.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))
const READY_MS = 60_000

export interface WorkerProcess {
  readonly pid: number
  signal(name: NodeJS.Signals): void
  /** Resolves with the exit code, or the signal that ended it. */
  readonly gone: Promise<number | string | null>
}

/** Starts one and waits until it says that it is ready. */
export const startWorkerProcess = async (
  dataDir: string,
  settings: Record<string, string>,
): Promise<WorkerProcess> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    // a channel as PM2's: a worker whose channel breaks ends, so that none outlives the test
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...env, DATA_DIR: dataDir, LOG_LEVEL: 'warn', ROLES: 'api,worker', ...settings },
  })
  let output = ''
  child.stdout?.on('data', data => {
    output += String(data)
  })
  const gone = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | string | null)
  const ready = once(child, 'message', { signal: AbortSignal.timeout(READY_MS) })
  await Promise.race([
    ready,
    gone.then(how =>
      Promise.reject(new Error(`the worker ended with ${how} before it was ready: ${output}`)),
    ),
  ])
  return { pid: child.pid ?? 0, signal: name => void child.kill(name), gone }
}
