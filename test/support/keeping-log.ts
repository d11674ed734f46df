// A log whose lines a test can read.
import pino from 'pino'
import type { Log } from '../../src/platform/log.ts'

export interface KeptLine {
  level: string
  message: string
  [field: string]: unknown
}

export const keepingLog = (): { log: Log; lines: () => KeptLine[] } => {
  const kept: string[] = []
  const options = {
    messageKey: 'message',
    errorKey: 'error',
    formatters: { level: (level: string) => ({ level }) },
  }
  return {
    log: pino(options, { write: (line: string) => void kept.push(line) }),
    lines: () => kept.map(line => JSON.parse(line) as KeptLine),
  }
}
