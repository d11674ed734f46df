// The one process of a started Madhava, as the test sees it: what it says, when it is ready, how it ends. Its IPC channel
// is its life: when that breaks, because the test has ended it or has died, the process closes and removes its folder.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ERRORS, type ErrorCode, MadhavaError } from '../core/errors.ts'
import type { KindTrouble } from '../core/kind-trouble.ts'

/** What the process sends when every role is ready. */
export interface Ready {
  /** `host:port` by role; none of a worker. */
  addresses: Record<string, string>
}
/** What it sends when files of kinds cannot be used and the test has not allowed that. It ends by itself then. */
export interface InTrouble {
  troubles: KindTrouble[]
}

export interface StartedProcess {
  readonly ready: Promise<Ready>
  /** Everything that it has printed, of which the last megabyte is kept. */
  log(): string
  /** Resolves when it is gone. It has `graceMs` for that. Idempotent. */
  end(graceMs: number): Promise<void>
}

const LOG_LENGTH = 1024 * 1024
/** How much of the log the error of a failed start shows. */
const LINES_SHOWN = 20

/** Built: what a test runs is what is installed, also where the tests of this repository run from the sources. */
const PROGRAM = fileURLToPath(new URL('../../dist/testing/all-roles.js', import.meta.url))

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(ERRORS, code)

/** What its last fatal line says. */
const reasonOf = (log: string): { code: ErrorCode; text: string } | null => {
  for (const line of log.split('\n').reverse())
    try {
      const { level, message, error } = JSON.parse(line) as {
        level?: unknown
        message?: unknown
        error?: { code?: unknown }
      }
      if (level !== 'fatal' || typeof message !== 'string') continue
      return { code: isCode(error?.code) ? error.code : 'INTERNAL', text: message }
    } catch {
      // no line of the log
    }
  return null
}

const whyItEnded = (how: string, log: string): MadhavaError => {
  const reason = reasonOf(log)
  const lines = log.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n')
  const first = `Madhava did not start: ${reason?.text ?? `its process ended with ${how}`}`
  // the message of an answer is bounded, and the log would not be seen
  return new MadhavaError(
    reason?.code ?? 'INTERNAL',
    reason && reason.code !== 'INTERNAL' ? first : `${first}\n${lines}`,
    {
      detail: { log: lines },
    },
  )
}

const inTrouble = (troubles: readonly KindTrouble[]): MadhavaError =>
  new MadhavaError(
    'KIND_INVALID',
    `Madhava did not start, since ${troubles.length === 1 ? 'a kind is' : 'kinds are'} in trouble:\n${troubles
      .map(({ file, reason }) => `  ${file}: ${reason}`)
      .join('\n')}`,
    { detail: { troubles } },
  )

interface Held {
  ref?(): void
  unref?(): void
}
/** Whether the child holds the process of the test, which may forget to stop it: with that, the channel goes. */
const hold = (child: ChildProcess, isHeld: boolean): void => {
  for (const each of [child, child.channel, child.stdout, child.stderr] as (Held | null | undefined)[])
    if (isHeld) each?.ref?.()
    else each?.unref?.()
}

/** Begins it. `ready` rejects with what is wrong; the process is gone then. */
export const startProcess = (
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
): StartedProcess => {
  if (!existsSync(PROGRAM))
    throw new MadhavaError('INTERNAL', 'dist/ is missing: in a clone, npm run build makes it')
  const child = fork(PROGRAM, args, {
    env: { ...environment },
    // those of the test, such as a loader for TypeScript, are not for it
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-LOG_LENGTH)
    })
  let isGone = false
  // node:child_process tells of no close where the channel was broken from this side
  const gone = Promise.all(
    [child, child.stdout, child.stderr].map(
      part => new Promise<void>(resolve => part?.once(part === child ? 'exit' : 'close', () => resolve())),
    ),
  ).then(() => {
    isGone = true
  })

  const ready = new Promise<Ready>((resolve, reject) => {
    let troubles: readonly KindTrouble[] | null = null
    child.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null) return
      if ('addresses' in message) {
        hold(child, false)
        resolve(message as Ready)
      } else if ('troubles' in message) ({ troubles } = message as InTrouble)
    })
    child.once('error', error =>
      reject(new MadhavaError('INTERNAL', `Madhava did not start: ${error.message}`, { cause: error })),
    )
    child.once('close', (code, signal) =>
      reject(troubles ? inTrouble(troubles) : whyItEnded(signal ?? `exit code ${code}`, log)),
    )
  })

  let ending: Promise<void> | null = null
  return {
    ready,
    log: () => log,
    end(graceMs) {
      ending ??= (async () => {
        if (isGone) return
        hold(child, true)
        if (child.connected) child.disconnect()
        const late = setTimeout(() => child.kill('SIGKILL'), graceMs)
        await gone
        clearTimeout(late)
      })()
      return ending
    },
  }
}
