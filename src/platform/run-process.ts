// The life of a role's process: read the settings, start, say that it is ready, close on a signal.
import { createLog, type Log } from './log.ts'
import { closeOnSignal, tellReady } from './shutdown.ts'

export interface ProcessSettings {
  readonly logLevel: string
  readonly drainMs: number
}

const HOLD_MS = 3_600_000

/** `start` opens everything and answers how to close it. A start that fails ends the process with 1 and the reason. */
export const runProcess = async <S extends ProcessSettings>(
  role: string,
  readSettings: () => S,
  start: (settings: S, log: Log) => Promise<{ close(): Promise<void>; reload?(): void }>,
): Promise<void> => {
  process.title = `madhava ${role}`
  let log = createLog(role, 'info')
  let isHungUp = false
  // Node would end by it, without a word
  const remember = (): void => {
    isHungUp = true
  }
  process.on('SIGHUP', remember)
  try {
    const settings = readSettings()
    log = createLog(role, settings.logLevel)
    const { close, reload } = await start(settings, log)
    // a role may have nothing but timers and sockets that do not hold a process
    setInterval(() => {}, HOLD_MS)
    closeOnSignal({ log, drainMs: settings.drainMs, close, reload })
    process.off('SIGHUP', remember)
    if (isHungUp) process.emit('SIGHUP', 'SIGHUP')
    log.info('ready')
    tellReady()
  } catch (error) {
    log.fatal({ error }, error instanceof Error ? error.message : 'the start failed')
    process.exit(1)
  }
}
