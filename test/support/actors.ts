// Actors for tests that are about something else.
import { type Actor, SCOPES, type Via } from '../../src/core/actor.ts'
import { type AccountRole, actorOf, strangerOf } from '../../src/core/policy.ts'

/** Nobody in particular, who may do what an operator may. */
export const anybody = (via: Via = 'rest'): Actor => strangerOf('full', via)

/** A person. The id of the account is the name. */
export const person = (name: string, role: AccountRole = 'user', via: Via = 'rest'): Actor =>
  actorOf({ id: name, name, role }, { via, credential: { type: 'session', id: `of-${name}` }, bounds: null })

/** A key of a person, for all that its account may. */
export const keyOf = (
  name: string,
  role: AccountRole,
  bounds: { scopes?: Actor['scopes']; kinds?: readonly string[]; own?: boolean } = {},
): Actor =>
  actorOf(
    { id: name, name, role },
    {
      via: 'rest',
      credential: { type: 'key', id: `key-of-${name}` },
      bounds: { scopes: bounds.scopes ?? SCOPES, kinds: bounds.kinds ?? null, own: bounds.own ?? false },
    },
  )
