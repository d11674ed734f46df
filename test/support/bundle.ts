// The whole of Madhava as a user starts it, in a data folder of the test's own, on free ports.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TaskRecord } from '../../src/core/task.ts'
import { until } from './until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const READY_MS = 180_000
const GONE_MS = 40_000

export interface Bundle {
  readonly dataDir: string
  /** Of the supervisor. */
  readonly pid: number
  /** `http://127.0.0.1:<port>`; rpc as `host:port`. */
  readonly api: string
  readonly dashboard: string
  readonly rpc: string
  /** Resolves when the supervisor has ended, by itself too. */
  readonly ended: Promise<{ code: number | null }>
  /** Everything printed so far. */
  output(): string
  /** The pid of a role's present process. */
  pidOf(role: string): Promise<number>
  submit(body: unknown): Promise<TaskRecord>
  get(id: string): Promise<TaskRecord>
  /** The state file itself. */
  stateFile(id: string): TaskRecord
  /** Every task, from the API. */
  all(): Promise<TaskRecord[]>
  /** Sends SIGTERM and waits; answers the exit code and the milliseconds it took. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; ms: number }>
  kill(): Promise<void>
  /** Ends the reading of what the start prints, as a log shipper does that ends. */
  stopReading(): void
}

/**
 * A folder of the test's own; removed with `remove`, which first kills what still runs there: after a test that failed
 * it would write on, the removal would throw, and nobody would end the bundle.
 */
export const makeDataDir = (): { dataDir: string; remove(): void } => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'madhava-e2e-'))
  return {
    dataDir,
    remove() {
      for (let left = processesOf(dataDir); left.length > 0; left = processesOf(dataDir))
        for (const pid of left) killIfThere(pid)
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const killIfThere = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended by itself
  }
}

const environment = (dataDir: string, more: Record<string, string>): NodeJS.ProcessEnv => {
  const { NODE_TEST_CONTEXT: _, ...outer } = process.env
  return {
    ...outer,
    DATA_DIR: dataDir,
    API_PORT: '0',
    RPC_PORT: '0',
    DASHBOARD_PORT: '0',
    DRAIN_SECONDS: '3',
    ...more,
  }
}

/** Runs the start script to its end, as for a start that must be refused. */
export const startRefused = async (
  dataDir: string,
  more: Record<string, string> = {},
  args: string[] = [],
): Promise<{ code: number | null; output: string }> => {
  const child = spawn(process.execPath, ['bin/start.mjs', ...args], {
    cwd: ROOT,
    env: environment(dataDir, more),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', data => {
      output += String(data)
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

/** The processes whose environment names this data folder: all that a start has left. */
export const processesOf = (dataDir: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        const names = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
        const state = /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        return state !== 'Z' && names.includes(`DATA_DIR=${dataDir}`)
      } catch {
        return false
      }
    })

/**
 * @param root the folder in which it is started, by default this checkout
 * @param program what Node is given; `user` runs it, if root runs the test
 */
export const startBundle = async (
  dataDir: string,
  more: Record<string, string> = {},
  root = ROOT,
  { program = ['bin/start.mjs'], user }: { program?: readonly string[]; user?: number } = {},
): Promise<Bundle> => {
  const child: ChildProcess = spawn(process.execPath, program, {
    cwd: root,
    env: environment(dataDir, more),
    ...(user === undefined || process.getuid?.() !== 0 ? {} : { uid: user, gid: user }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', data => {
      output += String(data)
    })
  // a test that dies must not leave a bundle behind
  const killAll = () => child.kill('SIGKILL')
  process.once('exit', killAll)
  const closed = once(child, 'close')
  const addressOf = (role: string): string => {
    const found = new RegExp(`^ {2}${role} +(?:http|thrift)://([^/\\s]+)`, 'm').exec(output)
    return found?.[1] ?? ''
  }
  await until(
    'the bundle says that it is ready',
    () => {
      assert.equal(child.exitCode, null, `the start ended:\n${output}`)
      // "not complete" may come first, where every core is busy
      return /Madhava is ready/.test(output)
    },
    READY_MS,
  ).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw new Error(`${String(error)}\n${output}`)
  })
  const api = `http://${addressOf('api')}`

  const call = async (method: string, where: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${api}${where}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const answer: unknown = await response.json()
    assert.ok(response.ok, `${method} ${where}: ${response.status} ${JSON.stringify(answer)}`)
    return answer
  }

  return {
    dataDir,
    pid: child.pid ?? 0,
    api,
    dashboard: `http://${addressOf('dashboard')}`,
    rpc: addressOf('rpc'),
    ended: closed.then(([code]: (number | null)[]) => ({ code: code ?? null })),
    output: () => output,
    stopReading() {
      for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    },
    async pidOf(role) {
      const { processes } = (await call('GET', '/')) as {
        processes: { role: string; pid: number; alive: boolean }[]
      }
      const found = processes.find(process => process.role === role && process.alive)
      assert.ok(found, `no ${role} is alive`)
      return found.pid
    },
    submit: async body => (await call('POST', '/tasks', body)) as TaskRecord,
    get: async id => (await call('GET', `/task/${id}`)) as TaskRecord,
    stateFile: id =>
      JSON.parse(readFileSync(path.join(dataDir, 'tasks', id.slice(-2), `${id}.json`), 'utf8')) as TaskRecord,
    all: async () => (await call('GET', '/alltasks')) as TaskRecord[],
    async stop(signal = 'SIGTERM') {
      const before = Date.now()
      child.kill(signal)
      const [code] = (await closed) as [number | null]
      process.off('exit', killAll)
      return { code, ms: Date.now() - before }
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
      process.off('exit', killAll)
      await until('every process is gone', () => processesOf(dataDir).length === 0, GONE_MS)
    },
  }
}
