// A private, real Redis for tests, which can be killed, frozen and started again with the same data.
// It uses its own port and folder; a watcher ends it and removes the folder when the test's process is gone.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const SERVER = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find(existsSync) ?? 'redis-server'
const BOOT_MS = 120_000

export interface PrivateRedis {
  readonly url: string
  readonly port: number
  /** Its own folder, for certificates and the like; removed with it. */
  readonly dir: string
  /** After stop() or kill(): the same port and data. Resolves when it answers. */
  start(): Promise<void>
  /** An orderly end, which saves. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** SIGSTOP: it accepts connections and says nothing. */
  pause(): void
  resume(): void
  /** One command by redis-cli; answers its standard output without the last newline. */
  cli(...args: string[]): Promise<string>
  /** Kills it and removes its folder. Idempotent. */
  remove(): Promise<void>
}

export interface PrivateRedisOptions {
  /** Lines of redis.conf, as arguments: `{ appendonly: 'yes' }`. */
  settings?: Record<string, string>
  /** Of redis-server; `sentinel` runs as one. */
  mode?: 'server' | 'sentinel'
  /** Arguments of redis-cli, such as a password. */
  cliArgs?: string[]
  port?: number
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Its standard input closes when this process ends; then it kills the processes it was told of. */
const WATCHER = `
pids=""
while read -r line; do pids="$pids $line"; done
for pid in $pids; do kill -s CONT "$pid" 2>/dev/null; kill -s KILL "$pid" 2>/dev/null; done
rm -rf -- "$1"
`

const alive = (child: ChildProcess | null): child is ChildProcess =>
  child !== null && child.exitCode === null && child.signalCode === null

const accepts = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Starts one; some tens of milliseconds. */
export const startRedis = async (options: PrivateRedisOptions = {}): Promise<PrivateRedis> => {
  const { settings = {}, mode = 'server', cliArgs = [] } = options
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-redis-'))
  const port = options.port ?? (await freePort())
  const watcher = spawn('/bin/sh', ['-c', WATCHER, 'watcher', dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  if (watcher.stdin && 'unref' in watcher.stdin && typeof watcher.stdin.unref === 'function')
    watcher.stdin.unref()
  const tls = 'tls-port' in settings
  const config: Record<string, string> = {
    dir,
    bind: '127.0.0.1',
    ...(tls ? { port: '0', 'tls-port': String(port) } : { port: String(port) }),
    ...(mode === 'server' ? { save: '', appendonly: 'no', 'enable-debug-command': 'local' } : {}),
    daemonize: 'no',
    ...settings,
    ...(tls ? { 'tls-port': String(port) } : {}),
  }
  let child: ChildProcess | null = null
  const output = path.join(dir, 'output.log')

  const cli = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      SERVER.replace(/server$/, 'cli'),
      ['-p', String(port), ...cliArgs, ...args],
      { timeout: 300_000, maxBuffer: 64 * 1024 * 1024 },
    )
    return stdout.replace(/\n$/, '')
  }

  const start = async (): Promise<void> => {
    if (alive(child)) return
    const log = openSync(output, 'a')
    const file = path.join(dir, 'redis.conf')
    const text = Object.entries(config).map(([name, value]) =>
      value
        .split('\n')
        .map(line => `${name} ${line === '' ? '""' : line}\n`)
        .join(''),
    )
    // a Sentinel writes what it learns into its file
    if (!(mode === 'sentinel' && existsSync(file))) {
      await writeFile(file, text.join(''))
    }
    const own = spawn(SERVER, [file, ...(mode === 'sentinel' ? ['--sentinel'] : [])], {
      stdio: ['ignore', log, log],
      detached: true,
    })
    closeSync(log)
    own.unref()
    child = own
    watcher.stdin?.write(`${own.pid}\n`)
    const deadline = Date.now() + BOOT_MS
    for (;;) {
      if (await accepts(port)) return
      if (!alive(own) || Date.now() > deadline)
        throw new Error(`Redis did not start:\n${await readFile(output, 'utf8')}`)
      await sleep(10)
    }
  }

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!alive(child)) return
    child.ref()
    const gone = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }

  let removed: Promise<void> | null = null
  const redis: PrivateRedis = {
    url: `${tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    port,
    dir,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    cli,
    remove() {
      removed ??= (async () => {
        await end('SIGKILL')
        watcher.ref()
        const gone = watcher.exitCode === null ? once(watcher, 'exit') : Promise.resolve()
        watcher.stdin?.end()
        await gone
      })()
      return removed
    },
  }
  try {
    await start()
  } catch (error) {
    await redis.remove()
    throw error
  }
  return redis
}
