// Runs a program of the tests as a process of its own, which tells what it does in lines of JSON.
// The child ends when its standard input does, so that none outlives the test that started it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface Child<Line> {
  /** All lines so far. */
  readonly lines: Line[]
  /** Called for each line as it comes, from now on. */
  onLine(listener: (line: Line) => void): void
  /** The first line that fits, waiting for it at most a minute. */
  line(fits: (line: Line) => boolean): Promise<Line>
  /** One line of JSON to the program's standard input. */
  send(line: unknown): void
  /** SIGKILL; resolves when the process is gone and every line it wrote is read. */
  kill(): Promise<void>
  /** Asks the program to end; resolves when it has. Fails when it ended with an error. */
  stop(): Promise<void>
}

/** Long: it only ends the wait for a program that hangs, and a busy machine must not count as one. */
const WAIT_MS = 300_000

/** Starts `test/support/<program>` with `input` as its one argument; `nodeArgs` are for Node. */
export const startChild = <Line>(program: string, input: unknown, nodeArgs: string[] = []): Child<Line> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(
    process.execPath,
    [...nodeArgs, '--import', 'tsx', fileURLToPath(new URL(program, import.meta.url)), JSON.stringify(input)],
    { stdio: ['pipe', 'pipe', 'pipe'], env },
  )
  const lines: Line[] = []
  const listeners: ((line: Line) => void)[] = []
  let errors = ''
  child.stderr.on('data', data => {
    errors += String(data)
  })
  child.stdin.on('error', () => {})
  const reader = createInterface({ input: child.stdout })
  reader.on('line', text => {
    let line: Line
    try {
      line = JSON.parse(text) as Line
    } catch {
      // the last line of a process that was killed may be cut
      return
    }
    lines.push(line)
    for (const listener of listeners) listener(line)
  })
  const ended = Promise.all([once(child, 'close'), once(reader, 'close')]).then(([[code, signal]]) => ({
    code: code as number | null,
    signal: signal as string | null,
  }))

  return {
    lines,
    onLine: listener => {
      listeners.push(listener)
    },
    async line(fits) {
      const found = lines.find(fits)
      if (found !== undefined) return found
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no such line came; ${errors}`)), WAIT_MS)
        const done = (act: () => void) => {
          clearTimeout(timer)
          listeners.splice(listeners.indexOf(listener), 1)
          act()
        }
        const listener = (line: Line) => {
          if (fits(line)) done(() => resolve(line))
        }
        listeners.push(listener)
        ended.then(({ code }) =>
          done(() => reject(new Error(`the program ended with ${code} before; ${errors}`))),
        )
      })
    },
    send(line) {
      child.stdin.write(`${JSON.stringify(line)}\n`)
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      child.stdin.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS)
      const { code, signal } = await ended
      clearTimeout(timer)
      assert.equal(code, 0, `the program ended with ${code ?? signal}; ${errors}`)
    },
  }
}
