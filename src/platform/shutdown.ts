// Runs a process's close once: on a signal, when the supervisor is gone, or on an error nobody caught. A process of
// several roles has several to run, and ends with the last.
import type { Log } from './log.ts'

/** Time after the drain in which close() must end, before the process ends by itself. */
const GRACE_MS = 5_000
/** The process's own: while files of kinds are read, a call of the other one is theirs (platform/modules.ts). */
const exit = process.exit.bind(process)

export interface ShutdownOptions {
  log: Log
  /** How long close() may take, milliseconds. */
  drainMs: number
  close: () => Promise<void>
  /** What SIGHUP asks for, where no terminal sends it. */
  reload?: (() => void) | undefined
}

let open = 0
let exitCode = 0
let work: () => Promise<void> = async () => {}

/** What is done when all is closed, before the process ends. It does not reject. */
export const afterClose = (last: () => Promise<void>): void => {
  work = last
}

const leave = (code: number): void => {
  open -= 1
  exitCode = Math.max(exitCode, code)
  if (open === 0) void work().finally(() => exit(exitCode))
}

/** One that was closed sends SIGHUP too, and then means that this should end. */
const hasTerminal = (): boolean =>
  [process.stdin, process.stdout, process.stderr].some(stream => stream.isTTY)

/**
 * Installs the handlers. Exit codes: 0 after a clean close, 1 when close failed, took too long, or an error was
 * not caught. A process that was started with an IPC channel (PM2's fork mode) also ends when the channel breaks,
 * so that a supervisor killed with -9 leaves no orphans. SIGHUP is a normal stop where there is a terminal, else it
 * calls `reload`.
 */
export const closeOnSignal = ({ log, drainMs, close, reload }: ShutdownOptions): void => {
  let closing = false
  open += 1
  const end = (reason: string, code: number): void => {
    if (closing) return
    closing = true
    log.info({ reason }, 'closing')
    setTimeout(() => {
      log.error({ drainMs }, 'close took too long; ending anyway')
      exit(1)
    }, drainMs + GRACE_MS).unref()
    close().then(
      () => leave(code),
      (error: unknown) => {
        log.error({ error }, 'close failed')
        leave(1)
      },
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(signal, 0))
  process.on('SIGHUP', () => (hasTerminal() ? end('SIGHUP', 0) : reload?.()))
  process.on('disconnect', () => end('the supervisor is gone', 0))
  process.on('uncaughtException', error => {
    log.fatal({ error }, 'an error was not caught')
    end('an error was not caught', 1)
  })
  process.on('unhandledRejection', error => {
    log.fatal({ error }, 'a promise was rejected and nobody looked')
    end('a promise was rejected and nobody looked', 1)
  })
}

/** Tells PM2 that the process is ready; nothing happens without a supervisor. */
export const tellReady = (): void => {
  process.send?.('ready')
}
