// JSON lines to standard output, one per event. PM2 keeps them; nothing else writes there.
import pino from 'pino'

export type Log = pino.Logger

/** A logger whose lines carry `role`. Fields before the text: `log.warn({ id }, 'what happened')`. */
export const createLog = (role: string, level: string): Log =>
  pino({
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'message',
    errorKey: 'error',
    formatters: { level: label => ({ level: label }) },
  })

/** A logger that says nothing, for tests and tools. */
export const silentLog = (): Log => pino({ level: 'silent' })
