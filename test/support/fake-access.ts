// Stands for the room access where a test is about a door: a few texts are logins, and each may end or change. What it
// is not told how to answer, it refuses to answer.
import type { Access } from '../../src/access/access.ts'
import type { Actor } from '../../src/core/actor.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { type Anonymous, strangerOf } from '../../src/core/policy.ts'

export interface FakeAccess {
  access: Access
  /** What was shown ends; whoever watches is told. */
  revoke(bearer: string): void
  /** It may do something else from now on; whoever watches is told. */
  change(bearer: string, actor: Actor): void
  /** How many watches are open. */
  watches(): number
}

export const createFakeAccess = ({
  anonymous = 'full',
  actors = {},
  calls = {},
}: {
  anonymous?: Anonymous
  /** By what they show. */
  actors?: Readonly<Record<string, Actor>>
  /** Of Access, what else it is to answer. */
  calls?: Partial<Access>
} = {}): FakeAccess => {
  const known = new Map(Object.entries(actors))
  const watching = new Set<{ id: string; fire: () => void }>()
  const tell = (actor: Actor | undefined): void => {
    for (const { id, fire } of watching) if (id === actor?.credential?.id) fire()
  }
  const unknown = (): never => {
    throw new Error('The fake access does not answer this')
  }
  const access: Access = {
    registration: 'invite',
    stranger: via => strangerOf(anonymous, via),
    async identify(bearer, via) {
      const actor = known.get(bearer)
      // as the real one, it takes a moment
      await new Promise(resolve => setImmediate(resolve))
      if (actor) return { ...actor, via }
      throw new MadhavaError('UNAUTHORIZED', 'The login or the key is not valid')
    },
    watch({ credential }) {
      const controller = new AbortController()
      const entry = { id: credential?.id ?? '', fire: () => controller.abort() }
      if (credential) watching.add(entry)
      return { signal: controller.signal, close: () => watching.delete(entry) }
    },
    me: async ({ account, name, scopes, sees, kinds, credential }) => ({
      account:
        account === null
          ? null
          : {
              id: account,
              name: name ?? '',
              role: 'user',
              createdAt: null,
              disabledAt: null,
              signIn: ['password'],
            },
      ...{ scopes, sees, kinds, credential },
      expiresAt: null,
    }),
    register: unknown,
    logIn: unknown,
    oidc: null,
    beginSignIn: unknown,
    endSignIn: unknown,
    logOut: unknown,
    changePassword: unknown,
    sessions: unknown,
    endSession: unknown,
    createKey: unknown,
    keys: unknown,
    revokeKey: unknown,
    invite: unknown,
    invitations: unknown,
    withdrawInvitation: unknown,
    accounts: unknown,
    changeAccount: unknown,
    deleteAccount: unknown,
    share: unknown,
    shares: unknown,
    withdrawShare: unknown,
    openShare: unknown,
    makeTicket: unknown,
    redeemTicket: unknown,
    idOf: async () => null,
    namesOf: async ids => new Map([...ids].map(id => [id, null])),
    close: async () => undefined,
    ...calls,
  }
  return {
    access,
    revoke(bearer) {
      const actor = known.get(bearer)
      known.delete(bearer)
      tell(actor)
    },
    change(bearer, actor) {
      const before = known.get(bearer)
      known.set(bearer, actor)
      tell(before)
    },
    watches: () => watching.size,
  }
}
