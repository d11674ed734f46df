// The room access over a memory store, for tests: time that a test moves, a store that goes away, several processes.

import type { Access, Origin } from '../../src/access/access.ts'
import { type AccessDeps, openAccess } from '../../src/access/open.ts'
import type { Actor } from '../../src/core/actor.ts'
import { settleLogins } from '../../src/dashboard/access/settle-logins.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { documentsAway } from '../support/documents-away.ts'
import { keepingLog } from '../support/keeping-log.ts'

export const PASSWORD = 'correct horse battery'
export const OTHER_PASSWORD = 'staple of another kind'
export const ORIGIN: Origin = { via: 'rest', address: '192.0.2.1', agent: 'a test' }
/** Addresses that have not tried yet. */
export const newOrigin = (() => {
  let n = 0
  return (): Origin => {
    n += 1
    return { via: 'rest', address: `198.51.${n >> 8}.${n & 255}`, agent: null }
  }
})()

export const createAccessWorld = (options: Partial<AccessDeps> = {}) => {
  let now = Date.UTC(2030, 0, 1)
  let steady = 0
  const clock = (): Date => new Date(now)
  const store = createMemoryStore({ clock })
  const away = documentsAway(store.documents)
  const { log, lines } = keepingLog()
  const opened: Access[] = []

  /** As another process has it. */
  const open = (more: Partial<AccessDeps> = {}): Access => {
    const access = openAccess({
      documents: away.documents,
      feed: store,
      anonymous: 'none',
      registration: 'open',
      clock,
      log,
      steady: () => steady,
      ...options,
      ...more,
    })
    opened.push(access)
    return access
  }
  const access = open()
  const stranger = access.stranger('rest')

  const logIn = async (name: string, password = PASSWORD): Promise<{ actor: Actor; token: string }> => {
    const { token } = await access.logIn({ name, password }, newOrigin())
    return { token, actor: await access.identify(token, 'rest') }
  }
  /** Somebody with a new account, logged in. */
  const join = async (name: string) => {
    const account = await access.register(
      stranger,
      { name, password: PASSWORD, invitation: null, role: null },
      newOrigin(),
    )
    return { account, ...(await logIn(name)) }
  }
  let operatorPassword: string | null = null
  /** The built-in operator, logged in. */
  const operator = async () => {
    if (operatorPassword === null) {
      const { created } = await settleLogins(store.documents, {
        configured: { operator: null, viewer: null },
        bundle: 'one',
        isAlive: null,
        clock,
        makeOperator: true,
        log,
      })
      operatorPassword = created ?? ''
    }
    return logIn('operator', operatorPassword)
  }

  return {
    access,
    open,
    stranger,
    store,
    /** The documents as the room sees them. */
    away,
    documents: store.documents,
    clock,
    lines,
    logIn,
    join,
    operator,
    /** Of both clocks. */
    pass(ms: number) {
      now += ms
      steady += ms
    },
    async end() {
      await Promise.all(opened.map(one => one.close()))
      await store.close()
    },
  }
}

export type AccessWorld = ReturnType<typeof createAccessWorld>
