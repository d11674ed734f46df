// The console against a real REST door: commands run in this process, with streams that are looked at, or as the
// program that people start.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { EndSignal, Machine } from '../../src/cli/environment.ts'
import { run } from '../../src/cli/run.ts'
import type { OutputStream } from '../../src/cli/terminal/screen.ts'
import { silentLog } from '../../src/platform/log.ts'
import { serveHttp } from '../../src/platform/serve.ts'
import { createFixture, type Fixture, type FixtureOptions } from '../api/fixture.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Ended {
  code: number
  out: string
  err: string
}

export interface Running {
  readonly ended: Promise<Ended>
  out(): string
  err(): string
  /** As Ctrl-C and its like. */
  signal(signal: EndSignal): void
}

export interface RunOptions {
  env?: Record<string, string>
  /** What comes from standard input. */
  input?: string
  /** Standard output is a terminal, so wide. */
  columns?: number
}

/** A stream that keeps what is written, and looks like a terminal if it has a width. */
const collector = (columns?: number): { stream: OutputStream; text(): string } => {
  const stream = new PassThrough()
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (piece: string) => {
    text += piece
  })
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns, rows: 24 })
  return { stream, text: () => text }
}

export interface ConsoleFixture {
  readonly door: Fixture
  readonly url: string
  /** The folder that stands for the user's own. */
  readonly home: string
  /** Runs a command line to its end. */
  madhava(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Begins one. */
  begin(args: readonly string[], options?: RunOptions): Running
  /** The same as a process of its own. */
  program(args: readonly string[], options?: RunOptions): Promise<Ended & { signal: string | null }>
  environment(more?: Record<string, string>): NodeJS.ProcessEnv
  /** Between the console and the server. */
  readonly network: TcpProxy
  close(): Promise<void>
}

export const openConsole = async (options: FixtureOptions = {}): Promise<ConsoleFixture> => {
  const door = createFixture(options)
  const home = mkdtempSync(path.join(tmpdir(), 'madhava-console-'))
  const http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    host: '127.0.0.1',
    port: 0,
    setting: 'API_PORT',
    log: silentLog(),
    limits: { keepAliveTimeout: 2_000 },
  })
  const network = await startTcpProxy({ port: http.address.port })
  const url = `http://127.0.0.1:${network.port}`

  const begin = (args: readonly string[], { env = {}, input = '', columns }: RunOptions = {}): Running => {
    const [out, err] = [collector(columns), collector(columns)]
    let listener: ((signal: EndSignal) => void) | null = null
    const machine: Machine = {
      input: Readable.from(input === '' ? [] : [input]),
      out: out.stream,
      err: err.stream,
      env: { MADHAVA_URL: url, TERM: 'xterm-256color', LANG: 'C.UTF-8', NO_COLOR: '1', ...env },
      home,
      hostName: 'desk',
      uid: process.getuid?.() ?? null,
      clock: () => new Date(),
      onSignal(heard) {
        listener = heard
        return () => {
          listener = null
        }
      },
      exit: code => assert.fail(`the console had to be ended with ${code}`),
      onResize: () => () => {},
    }
    const ended = run(args, machine).then(async code => {
      // what was written may still be on its way
      await new Promise(resolve => setImmediate(resolve))
      return { code, out: out.text(), err: err.text() }
    })
    ended.catch(() => {})
    return { ended, out: out.text, err: err.text, signal: signal => listener?.(signal) }
  }

  const environment = (more: Record<string, string> = {}): NodeJS.ProcessEnv => {
    const {
      NODE_TEST_CONTEXT: _,
      MADHAVA_KEY: __,
      XDG_CONFIG_HOME: ___,
      XDG_STATE_HOME: ____,
      ...outer
    } = process.env
    return { ...outer, HOME: home, MADHAVA_URL: url, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...more }
  }

  return {
    door,
    url,
    home,
    begin,
    madhava: (args, more) => begin(args, more).ended,
    environment,
    program: (args, { env = {}, input = '' } = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, ['bin/madhava.mjs', ...args], {
          cwd: ROOT,
          env: environment(env),
          stdio: 'pipe',
        })
        let [out, err] = ['', '']
        child.stdout.setEncoding('utf8').on('data', piece => {
          out += piece
        })
        child.stderr.setEncoding('utf8').on('data', piece => {
          err += piece
        })
        child.once('error', reject)
        child.stdin.on('error', () => {})
        child.stdin.end(input)
        child.once('close', (code, signal) => resolve({ code: code ?? -1, signal, out, err }))
      }),
    network,
    async close() {
      await network.close()
      await door.close()
      await http.close()
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Waits until the text has come. */
export const says = (running: Running, which: 'out' | 'err', text: string | RegExp): Promise<void> =>
  until(`the console says ${text} (it says ${running[which]().slice(-500)})`, () =>
    typeof text === 'string' ? running[which]().includes(text) : text.test(running[which]()),
  )
