// top: a live screen of the server, until q. The terminal is as it was afterwards, whatever ends it.
import type { Command } from 'commander'
import type { ServerStatus, TaskView } from '../../client/client.ts'
import { isTemporary, reasonOf } from '../../client/errors.ts'
import { pause } from '../../client/patience.ts'
import type { Console } from '../console.ts'
import { ConsoleError, EXIT, usage } from '../exit.ts'
import { speaksUtf8 } from '../terminal/bar.ts'
import { drawTop } from '../top/draw-top.ts'
import { createRates } from '../top/rates.ts'
import { seconds } from './filter-options.ts'

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const MOST_RUNNING = 200

/** Keys while the screen is shown; the answer gives the terminal back. */
const readKeys = (c: Console, onKey: (key: string) => void): (() => void) => {
  const { input } = c.machine
  const onData = (data: unknown): void => {
    for (const key of String(data)) onKey(key)
  }
  const wasRaw = input.isRaw === true
  input.setRawMode?.(true)
  input.on('data', onData)
  input.resume()
  return () => {
    input.off('data', onData)
    input.setRawMode?.(wasRaw)
    input.pause()
  }
}

interface Reading {
  status: ServerStatus
  running: TaskView[]
}

const read = async (
  c: Console,
  client: Awaited<ReturnType<Console['client']>>,
  signal: AbortSignal,
): Promise<Reading> => {
  const [status, page] = await Promise.all([
    client.status({ signal }),
    client.list({ status: ['STARTED', 'PROGRESS'] }, { limit: MOST_RUNNING, signal }),
  ])
  c.signal.throwIfAborted()
  return { status, running: page.tasks }
}

const top = async (c: Console, { every }: { every: number }): Promise<void> => {
  const everyMs = Math.max(0.2, every) * 1000
  const rates = createRates()
  const server = await c.server()
  // a server that is not there is told of before the screen changes
  let reading = await read(c, await c.client(), c.signal)
  const client = await c.client({ patienceMs: 0, timeoutMs: 10_000 })
  if (c.isJson) {
    for (;;) {
      const { status, running } = reading
      await c.printJson({ status, running, rates: rates.add(status) })
      await pause(everyMs, c.signal)
      reading = await read(c, client, c.signal)
    }
  }
  if (!c.out.canRedraw || c.machine.input.isTTY !== true)
    throw usage('top needs a terminal', 'top --json prints a line each time')
  const ending = new AbortController()
  const signal = AbortSignal.any([c.signal, ending.signal])
  const state = {
    server: server.name ?? server.url,
    status: reading.status as ServerStatus | null,
    running: reading.running,
    rates: rates.add(reading.status),
    trouble: null as string | null,
  }
  const draw = (): void => {
    const { columns, rows, style } = c.out
    const lines = drawTop(state, {
      columns,
      rows,
      style,
      now: c.machine.clock(),
      isPlain: !speaksUtf8(c.machine.env),
    })
    // each line is cleared behind its end: a cleared screen would flicker
    const text = `\u001b[H${lines.map(line => `${line}\u001b[K`).join('\r\n')}\u001b[J`
    c.out.write(text).catch(() => ending.abort())
  }
  const restoreKeys = readKeys(c, key => {
    if (key === 'q' || key === 'Q') ending.abort()
    // in raw mode Ctrl-C is a key
    else if (key === '\u0003') c.interrupts.end(new ConsoleError(EXIT.interrupted, ''))
  })
  const stopResize = c.machine.onResize(draw)
  try {
    await c.out.write(ENTER)
    for (;;) {
      draw()
      await pause(everyMs, signal)
      try {
        const { status, running } = await read(c, client, signal)
        Object.assign(state, { status, running, rates: rates.add(status), trouble: null })
      } catch (error) {
        if (signal.aborted || !isTemporary(error)) throw error
        state.trouble = `The server cannot be reached: ${reasonOf(error)}`
      }
    }
  } catch (error) {
    if (!ending.signal.aborted || c.signal.aborted) throw error
  } finally {
    stopResize()
    restoreKeys()
    c.out.write(LEAVE).catch(() => {})
  }
}

export const addTopCommand = (program: Command, c: Console): void => {
  program
    .command('top')
    .description('a live screen: the machine, processes, counts, rates and running tasks; q ends it')
    .option('--every <seconds>', 'how often it is read', seconds, 2)
    .action((options: { every: number }) => c.alone(() => top(c, options)))
}
