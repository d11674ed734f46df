// Logins over a memory store, for tests: several bundles, time that a test moves, and a store that goes away.

import type { BuiltInLogin } from '../../../src/access/account.ts'
import type { DocumentData } from '../../../src/core/documents.ts'
import { openOperator } from '../../../src/dashboard/access/operator.ts'
import { type SettleOptions, settleLogins } from '../../../src/dashboard/access/settle-logins.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { documentsAway } from '../../support/documents-away.ts'
import { keepingLog } from '../../support/keeping-log.ts'

export const PASSWORD = /^([2-9a-hjkmnp-z]{5}-){3}[2-9a-hjkmnp-z]{5}$/
/** From this on a bundle without a presence counts as dead. */
export const UNSEEN_MS = 30_000

export interface StartOptions extends Partial<Omit<SettleOptions, 'configured'>> {
  operator?: string | null
  viewer?: string | null
}

export const createLoginWorld = () => {
  let now = Date.UTC(2030, 0, 1)
  const clock = (): Date => new Date(now)
  const store = documentsAway(createMemoryStore({ clock }).documents)
  const { documents } = store
  const living = new Set<string>()
  const isAlive = async (bundle: string): Promise<boolean> => living.has(bundle)
  const { log, lines } = keepingLog()
  return {
    store,
    documents,
    clock,
    log,
    lines,
    /** What bin/reset-password gives to a reset. */
    tool: { place: 'the folder', isAlive, clock },
    /** The bundles that have presences. */
    living,
    pass(ms: number) {
      now += ms
    },
    /** As a start of a bundle on a shared store; its presence is for the test. */
    start: ({ operator = null, viewer = null, ...more }: StartOptions = {}) =>
      settleLogins(documents, {
        configured: { operator, viewer },
        bundle: 'one',
        isAlive,
        clock,
        log,
        makeOperator: true,
        ...more,
      }),
    /** As a process that has read nothing yet. */
    login: (role: BuiltInLogin = 'operator') => openOperator(documents, role),
    opens: (password: string, role: BuiltInLogin = 'operator') =>
      openOperator(documents, role).verify(role, password),
    async dataOf(name: string): Promise<DocumentData> {
      return (await documents.get('accounts', name))?.data ?? {}
    },
    isAlive,
    /** The bundles of the configured password. */
    async bundlesOf(name: BuiltInLogin = 'operator'): Promise<string[]> {
      const { configured } = (await documents.get('accounts', name))?.data ?? {}
      return Object.keys((configured as { bundles?: object } | null | undefined)?.bundles ?? {})
    },
    spoil: (name: string, data: DocumentData = {}, version = 1) =>
      documents.put('accounts', name, { version, expiresAt: null, data }, 'any'),
  }
}

export type LoginWorld = ReturnType<typeof createLoginWorld>
