// Who calls: on a connection whoever has authenticated there, over HTTP whoever the REST API has found out. What a
// connection has shown is asked about afresh for every call. It knows no methods and decides nothing about rights.
import type { Access, Origin } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import { MadhavaError } from '../core/errors.ts'
import { actorAt } from '../core/policy.ts'

/** What a method learns about whoever calls it. */
export interface RpcCall {
  /** Who asks. @throws UNAUTHORIZED when what was shown is not valid now, STORE_UNAVAILABLE */
  actor(): Promise<Actor>
  /** Who asks, after `access.watch` has said that what was shown has changed. @throws UNAUTHORIZED, STORE_UNAVAILABLE */
  again(): Promise<Actor>
  /**
   * Says who asks from now on. If it fails, nobody does, until it is called again.
   * @throws UNAUTHORIZED, BAD_REQUEST over HTTP, STORE_UNAVAILABLE
   */
  authenticate(bearer: string): Promise<Actor>
  origin: Origin
}

/** What tells who somebody is. */
export type Identities = Pick<Access, 'identify' | 'stranger'>

/** What a call is told that goes on for long. */
export const loginOver = (): MadhavaError =>
  new MadhavaError('UNAUTHORIZED', 'The login or the key has ended or changed during the call')

/** For the calls of one connection. */
export const createConnectionCall = (access: Identities, origin: Origin): RpcCall => {
  let shown: string | null = null
  let tries = 0
  const actor = async (): Promise<Actor> =>
    actorAt(shown === null ? access.stranger('rpc') : await access.identify(shown, 'rpc'), origin.address)
  return {
    actor,
    again: actor,
    async authenticate(bearer) {
      tries += 1
      const own = tries
      shown = null
      const found = await access.identify(bearer, 'rpc')
      // a call whose time was over goes on behind its answer, and may end after a later one
      if (own === tries) shown = bearer
      return actorAt(found, origin.address)
    },
    origin,
  }
}

/** For one call over HTTP. */
export const createHttpCall = (actor: Actor, origin: Origin): RpcCall => ({
  actor: async () => actor,
  async again() {
    throw loginOver()
  },
  async authenticate() {
    throw new MadhavaError('BAD_REQUEST', 'Over HTTP, send Authorization: Bearer with each request instead')
  },
  origin,
})
