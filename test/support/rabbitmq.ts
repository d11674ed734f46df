// A private, real RabbitMQ for tests, which can be killed, frozen, wiped and started again.
// It uses its own epmd, ports and folder; a watcher ends it all when the test's process is gone, however it went.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync, type WriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { connect } from 'amqplib'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

export interface Rabbit {
  readonly url: string
  readonly port: number
  /** After stop() or kill(): the same ports and data. Resolves when AMQP answers. */
  start(): Promise<void>
  /** An orderly shutdown. */
  stop(): Promise<void>
  /** SIGKILL of the Erlang VM. */
  kill(): Promise<void>
  /** Deletes all its data; only while stopped. */
  wipe(): Promise<void>
  /** SIGSTOP: it accepts connections and says nothing. Resolves when all of its processes stand still. */
  pause(): Promise<void>
  resume(): void
  /**
   * Resolves when a kill can no longer harm this quorum queue. RabbitMQ writes its register of them with a delay of
   * some seconds; a node killed before that starts a new, empty member, which never elects a leader.
   */
  registered(queue: string): Promise<void>
  /** rabbitmqctl on this node; answers its standard output. */
  ctl(...args: string[]): Promise<string>
  /** Kills it and removes its folder. Idempotent. */
  remove(): Promise<void>
}

const BIN = '/usr/lib/rabbitmq/bin'
const BOOT_MS = 180_000

const signalGroup = (child: ChildProcess | null, signal: NodeJS.Signals): void => {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  process.kill(-child.pid, signal)
}

/** Whether every process of the group is stopped, or gone. */
const standsStill = (group: number): boolean =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .every(pid => {
      try {
        // the name, in parentheses, may hold anything
        const [state = '', , ofGroup] =
          readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
        return Number(ofGroup) !== group || 'TtZX'.includes(state)
      } catch {
        return true
      }
    })

const ended = async (child: ChildProcess | null): Promise<void> => {
  if (child?.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await once(child, 'exit')
}

/** Its standard input closes when this process ends; then it kills the process groups it was told of. */
const WATCHER = `
groups=""
while read -r line; do groups="$groups $line"; done
for group in $groups; do kill -s CONT -- "-$group" 2>/dev/null; kill -s KILL -- "-$group" 2>/dev/null; done
rm -rf -- "$1"
`

/**
 * Boots one; about 8 s on an idle machine, so share it within a test file.
 * `settings` are lines of rabbitmq.conf, `flags` are for the Erlang VM, such as `-rabbit NAME VALUE`.
 */
export const startRabbit = async ({
  settings = [],
  flags = '',
}: {
  settings?: readonly string[]
  flags?: string
} = {}): Promise<Rabbit> => {
  const root = await mkdtemp(path.join(tmpdir(), 'madhava-rabbit-'))
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()]
  const node = `test${port}@localhost`
  const folder = (name: string) => path.join(root, name)
  for (const name of ['home', 'mnesia', 'log', 'schema']) await mkdir(folder(name))
  const conf = ['log.file.level = warning', 'loopback_users = none', ...settings]
  await writeFile(folder('rabbitmq.conf'), `${conf.join('\n')}\n`)
  await writeFile(folder('plugins'), '[].\n')
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: folder('home'),
    RABBITMQ_NODENAME: node,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: folder('mnesia'),
    RABBITMQ_LOG_BASE: folder('log'),
    RABBITMQ_SCHEMA_DIR: folder('schema'),
    RABBITMQ_PID_FILE: folder('pid'),
    RABBITMQ_CONFIG_FILE: folder('rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: folder('plugins'),
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    // rabbitmqctl runs where the test does, and would leave its dump there
    ERL_CRASH_DUMP: folder('erl_crash.dump'),
    // the script becomes the VM, so that its process group is the broker's
    RABBITMQ_ALLOW_INPUT: '1',
    // one scheduler that does not spin: the test shares its cores with the broker
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-noinput +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} ${flags}`,
  }
  const url = `amqp://guest:guest@127.0.0.1:${port}/`
  const output: WriteStream = createWriteStream(folder('output.log'))
  await once(output, 'open')

  const watcher = spawn('/bin/sh', ['-c', WATCHER, 'watcher', root], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.unref()
  let epmd: ChildProcess | null = null
  let broker: ChildProcess | null = null
  const launch = (program: string, args: string[]): ChildProcess => {
    const child = spawn(program, args, { env, cwd: root, stdio: ['ignore', output, output], detached: true })
    child.unref()
    watcher.stdin?.write(`${child.pid}\n`)
    return child
  }
  // neither may keep a test's process alive
  if (watcher.stdin && 'unref' in watcher.stdin && typeof watcher.stdin.unref === 'function')
    watcher.stdin.unref()

  const answers = async (): Promise<boolean> => {
    try {
      const connection = await connect(url, { timeout: 5_000 })
      connection.on('error', () => {})
      await connection.close()
      return true
    } catch {
      return false
    }
  }

  const start = async (): Promise<void> => {
    epmd ??= launch('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'])
    const booting = launch(`${BIN}/rabbitmq-server`, [])
    broker = booting
    const deadline = Date.now() + BOOT_MS
    while (!(await answers())) {
      if (booting.exitCode !== null || booting.signalCode !== null || Date.now() > deadline)
        throw new Error(`RabbitMQ did not start:\n${await readFile(folder('output.log'), 'utf8')}`)
      await sleep(100)
    }
  }

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    signalGroup(broker, 'SIGCONT')
    signalGroup(broker, signal)
    await ended(broker)
    broker = null
  }

  let removed: Promise<void> | null = null
  const removeAll = async (): Promise<void> => {
    await end('SIGKILL')
    signalGroup(epmd, 'SIGKILL')
    await ended(epmd)
    output.end()
    // the watcher removes the folder when its input closes
    watcher.ref()
    const gone = ended(watcher)
    watcher.stdin?.end()
    await gone
  }

  const rabbit: Rabbit = {
    url,
    port,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async wipe() {
      if (broker) throw new Error('stop the broker before its data is deleted')
      await rm(folder('mnesia'), { recursive: true })
      await mkdir(folder('mnesia'))
    },
    async pause() {
      signalGroup(broker, 'SIGSTOP')
      const group = broker?.pid
      // the signal acts a moment later: until then the broker may still confirm
      if (group !== undefined) await until('the broker stands still', () => standsStill(group))
    },
    resume: () => signalGroup(broker, 'SIGCONT'),
    registered: queue =>
      until(`${queue} is registered`, async () => {
        const register = path.join(folder('mnesia'), node, 'quorum', node, 'names.dets')
        return (await readFile(register, 'latin1')).includes(`%2F_${queue}`)
      }),
    async ctl(...args) {
      const { stdout } = await promisify(execFile)(`${BIN}/rabbitmqctl`, ['-q', '-n', node, ...args], {
        env: { ...env, RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '' },
        timeout: 300_000,
      })
      return stdout
    },
    remove() {
      removed ??= removeAll()
      return removed
    },
  }
  try {
    await start()
  } catch (error) {
    await rabbit.remove()
    throw error
  }
  return rabbit
}
