// A Docker engine for the tests of the image: its command line, the image built from this source, and containers that
// are gone when the test is over. Only with COMPOSE_TESTS=1: they are slow, and not every machine has an engine.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { TaskRecord } from '../../src/core/task.ts'
import { freePort } from './free-port.ts'
import { type Ends, undo } from './undo.ts'
import { until } from './until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const COMMAND_MS = 300_000

export interface Said {
  code: number
  out: string
  err: string
}

/**
 * False when an engine answers and the tests of the image are wanted, else the reason to skip.
 * @throws Error when they are wanted and no engine answers
 */
export const requireDocker = (): string | false => {
  const wanted = process.env.COMPOSE_TESTS === '1'
  const works = wanted && spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0
  if (works && spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0) return false
  if (wanted) throw new Error('COMPOSE_TESTS=1, and no Docker engine with Compose answers')
  const reason = 'the tests of the image run with COMPOSE_TESTS=1 and a Docker engine'
  console.error(`SKIPPED: ${reason}`)
  return reason
}

/** Runs `docker ...`; never rejects for what docker says. */
export const tryDocker = (args: readonly string[], { cwd = ROOT }: { cwd?: string } = {}): Promise<Said> =>
  new Promise(resolve => {
    const child = execFile(
      'docker',
      args,
      { cwd, timeout: COMMAND_MS, maxBuffer: 256 * 1024 ** 2 },
      (error, out, err) => resolve({ code: error ? Number(error.code ?? 1) || 1 : 0, out, err }),
    )
    child.stdin?.end()
  })

/** What it printed. @throws Error with its words when it fails */
export const docker = async (...args: string[]): Promise<string> => {
  const { code, out, err } = await tryDocker(args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${err || out}`)
  return out.trim()
}

let building: Promise<string> | null = null
/** The image of this source; layers that have not changed are not made again. */
export const buildImage = (): Promise<string> => {
  building ??= docker('build', '-q', '-t', 'madhava:test', ROOT).then(() => 'madhava:test')
  return building
}

/** A name that no other run uses. */
export const freshName = (): string => `madhava-test-${randomBytes(4).toString('hex')}`

interface State {
  Status: string
  ExitCode: number
  OOMKilled: boolean
  Pid: number
  Health?: { Status: string; Log: { ExitCode: number; Output: string }[] }
}
export const stateOf = async (container: string): Promise<State> =>
  JSON.parse(await docker('inspect', '--format', '{{json .State}}', container)) as State

/** What the engine's health check says of it, and in which words. */
export const healthOf = async (container: string): Promise<{ status: string; words: string }> => {
  const { Health } = await stateOf(container)
  return { status: Health?.Status ?? 'none', words: Health?.Log.at(-1)?.Output.trim() ?? '' }
}

/** Both streams of it so far. */
export const logsOf = async (container: string): Promise<string> => {
  const { out, err } = await tryDocker(['logs', container])
  return out + err
}

/** Ends the first process of a container with -9 from outside, as a crash would: the restart policy applies. */
export const crash = async (container: string): Promise<void> => {
  const { Pid } = await stateOf(container)
  const image = await buildImage()
  const args = ['--rm', '--pid', 'host', '--user', '0', '--entrypoint', 'kill', image, '-9', String(Pid)]
  await docker('run', ...args)
}

/** The REST door of a container. */
export interface Door {
  readonly url: string
  call(method: string, where: string, body?: unknown): Promise<{ status: number; body: unknown }>
  /** Submits all of them side by side; answers the ids. */
  submit(tasks: readonly unknown[]): Promise<string[]>
  get(id: string): Promise<TaskRecord>
  all(): Promise<TaskRecord[]>
}

export const openDoor = (url: string): Door => {
  const call: Door['call'] = async (method, where, body) => {
    const response = await fetch(`${url}${where}`, {
      method,
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    return { status: response.status, body: (await response.json()) as unknown }
  }
  return {
    url,
    call,
    submit: tasks =>
      Promise.all(
        tasks.map(async task => {
          const { status, body } = await call('POST', '/tasks', task)
          assert.equal(status, 202, JSON.stringify(body))
          return (body as TaskRecord).id
        }),
      ),
    get: async id => (await call('GET', `/task/${id}`)).body as TaskRecord,
    all: async () => (await call('GET', '/alltasks')).body as TaskRecord[],
  }
}

export interface Container {
  readonly name: string
  /** Without one among its ports the calls fail. */
  readonly door: Door
  exec(...command: string[]): Promise<string>
  /** Waits for the health check to say so. */
  healthy(): Promise<void>
}

/**
 * Runs our image, or one made FROM it, in the background with these options of `docker run`; the test's end removes the
 * container and its volumes.
 */
export const runContainer = async (
  t: Ends,
  options: readonly string[],
  made?: string,
): Promise<Container> => {
  const image = made ?? (await buildImage())
  const name = freshName()
  const port = await freePort()
  undo(t, () => tryDocker(['rm', '-fv', name]))
  await docker(
    'run',
    '-d',
    '--name',
    name,
    '-p',
    `127.0.0.1:${port}:8000`,
    '-e',
    'ANONYMOUS=full',
    ...options,
    image,
  )
  return {
    name,
    door: openDoor(`http://127.0.0.1:${port}`),
    exec: (...command) => docker('exec', name, ...command),
    async healthy() {
      await until(
        `${name} is healthy`,
        async () => {
          const { status, words } = await healthOf(name)
          assert.notEqual(status, 'unhealthy', words)
          return status === 'healthy'
        },
        120_000,
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await logsOf(name)}`)
      })
    },
  }
}
