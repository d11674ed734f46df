// A reload that no client waits for: a signal asks for it. Requests while one runs are one more after it, since the
// files may have changed after they were read.
import { setTimeout as wait } from 'node:timers/promises'
import type { AuditRecorder } from '../audit-recorder.ts'
import { reloadTold } from '../audited-service.ts'
import { isMadhavaError } from '../errors.ts'
import type { KindsReloaded } from './ask.ts'

/** How often it asks while another process's trial is under way, milliseconds, and for how long. */
const AGAIN_MS = 250
const PATIENCE_MS = 75_000

export interface UnattendedDeps {
  ask(): Promise<KindsReloaded>
  audit: Pick<AuditRecorder, 'run'>
  onReloaded(outcome: KindsReloaded): void
  onFailed(error: unknown): void
}

const NOBODY = { actor: null, via: 'tool', address: null } as const

/** Asks, and tells what became of it. Never throws. */
export const createUnattendedReload = (deps: UnattendedDeps): (() => void) => {
  const { ask, audit, onReloaded, onFailed } = deps
  let [isRunning, isWanted] = [false, false]

  const askInTurn = async (): Promise<KindsReloaded> => {
    for (let waitedMs = 0; ; waitedMs += AGAIN_MS) {
      try {
        return await audit.run(NOBODY, { action: 'kinds.reload', target: null, told: reloadTold }, ask)
      } catch (error) {
        if (!isMadhavaError(error, 'KINDS_RELOADING') || waitedMs >= PATIENCE_MS) throw error
        await wait(AGAIN_MS, undefined, { ref: false })
      }
    }
  }
  const run = async (): Promise<void> => {
    isRunning = true
    do {
      isWanted = false
      await askInTurn().then(onReloaded, onFailed)
    } while (isWanted)
    isRunning = false
  }
  return () => {
    isWanted = true
    if (!isRunning) void run()
  }
}
