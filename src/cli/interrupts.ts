// Ctrl-C and its like: what a command does about them, and that it ends soon whatever it does.
import type { EndSignal, Machine } from './environment.ts'
import { ConsoleError, EXIT, type ExitCode } from './exit.ts'

export interface Interrupts {
  /** Fires when the command is to end; the reason is a ConsoleError with the exit code. */
  readonly signal: AbortSignal
  /** What Ctrl-C does until the answer is called, in place of ending the command. */
  take(handler: () => void): () => void
  /** As if the signal had come. */
  raise(signal: EndSignal): void
  /** Ends the command for another reason. */
  end(reason: ConsoleError): void
  close(): void
}

const CODE: Readonly<Record<EndSignal, ExitCode>> = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
}
/** A command has so long to put the terminal in order. */
const GRACE_MS = 1_000

/**
 * @param machine whose signals are listened to; null: nobody's, since somebody else hands them on by `raise`
 * @param onLate called with the exit code when the command has not ended in time
 */
export const createInterrupts = (
  machine: Pick<Machine, 'onSignal'> | null,
  onLate: (code: ExitCode) => void,
): Interrupts => {
  const controller = new AbortController()
  const handlers: (() => void)[] = []
  let timer: NodeJS.Timeout | null = null
  const end = (reason: ConsoleError): void => {
    // who asks twice does not want to wait
    if (controller.signal.aborted) {
      onLate(reason.exit)
      return
    }
    timer = setTimeout(() => onLate(reason.exit), GRACE_MS)
    timer.unref()
    controller.abort(reason)
  }
  const raise = (signal: EndSignal): void => {
    const handler = signal === 'SIGINT' && !controller.signal.aborted ? handlers.at(-1) : undefined
    if (handler) handler()
    else end(new ConsoleError(CODE[signal], ''))
  }
  const stop = machine?.onSignal(raise)
  return {
    signal: controller.signal,
    take(handler) {
      handlers.push(handler)
      return () => {
        const at = handlers.lastIndexOf(handler)
        if (at >= 0) handlers.splice(at, 1)
      }
    },
    raise,
    end,
    close() {
      stop?.()
      if (timer) clearTimeout(timer)
    },
  }
}
