// Looks now and then whether the passwords of this bundle's settings are still in place. While the bundle is cut off
// from the store it seems to be gone, and the start of another one drops its password.

import { BUILT_IN_LOGINS } from '../../access/account.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { openLogins } from './logins.ts'
import { type SettleOptions, settleLogins } from './settle-logins.ts'

export interface KeepOptions extends Omit<SettleOptions, 'makeOperator'> {
  log: Pick<Log, 'error' | 'info'>
  /** Milliseconds between two looks. Left out: a minute. */
  everyMs?: number
}

export interface SettingKeeper {
  /** Whether it looks by itself: a store of this bundle alone has nobody who could drop its passwords. */
  isActive: boolean
  /** One look. Never rejects. */
  look(): Promise<void>
  /** No look begins after it, and one that is under way says nothing any more. */
  close(): void
}

const EVERY_MS = 60_000

/** Settles the logins again when a password of the settings has lost this bundle. The timer keeps no process alive. */
export const keepSettings = (
  documents: Documents,
  { everyMs = EVERY_MS, ...options }: KeepOptions,
): SettingKeeper => {
  const { configured, bundle, isAlive, log } = options
  const logins = openLogins(documents)
  const kept = BUILT_IN_LOGINS.filter(role => configured[role] !== null)
  let [isLooking, isTold, isClosed] = [false, false, false]

  const isInPlace = async (): Promise<boolean> => {
    for (const role of kept) {
      const { login } = await logins.look(role)
      if (login?.data.configured?.bundles[bundle] === undefined) return false
    }
    return true
  }

  const settleIfNeeded = async (): Promise<void> => {
    try {
      if (!(await isInPlace())) {
        await settleLogins(documents, { ...options, makeOperator: false })
        // where the store is full they may still count without this bundle
        if (!isClosed && (await isInPlace()))
          log.info('the passwords of the settings were put in place again')
      }
      isTold = false
    } catch (error) {
      // a store that is away is told elsewhere, and the next look comes
      if (isClosed || isTold || isMadhavaError(error, 'STORE_UNAVAILABLE')) return
      isTold = true
      log.error({ error }, 'the passwords of the settings are no longer in place')
    }
  }

  const look = async (): Promise<void> => {
    if (isLooking || isClosed) return
    isLooking = true
    await settleIfNeeded().finally(() => {
      isLooking = false
    })
  }

  const isActive = isAlive !== null && kept.length > 0
  const timer = isActive ? setInterval(() => void look(), everyMs) : null
  timer?.unref()
  return {
    isActive,
    look,
    close() {
      isClosed = true
      if (timer) clearInterval(timer)
    },
  }
}
