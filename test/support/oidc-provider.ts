// A real provider of OpenID Connect on loopback: the package oidc-provider, with its own pages for login and consent.
// Whoever types a name is that person; what it says of them, the test decides.

import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

/** What the provider says of somebody, beside `sub`, which is the name that was typed. */
export type PersonClaims = Record<string, unknown>

export interface RealProvider {
  issuer: string
  /** By what they type. Nobody is refused: one who is not here has no further claims. */
  people: Map<string, PersonClaims>
  close(): Promise<void>
}

export interface RealProviderOptions {
  redirectUris: readonly string[]
  /** Null: the client is a public one. */
  clientSecret?: string | null
  /** The name in its addresses; another one than that of the server is another site to a browser. */
  host?: '127.0.0.1' | 'localhost'
  /** Where the claims stand: in the ID token, or in what is asked for with the access token. */
  claimsIn?: 'id-token' | 'userinfo'
}

export const CLIENT_ID = 'madhava'
export const CLIENT_SECRET = 'a secret of the client, 100% &+='

/** Without a number for each it says on the console that it has one of its own. */
const TTLS = ['AccessToken', 'AuthorizationCode', 'Grant', 'IdToken', 'Interaction', 'Session']
const NOISES = ['warn', 'info'] as const
/** It tells on the console that it is made for tests. */
const quietly = <T>(work: () => T): T => {
  const before = NOISES.map(name => console[name])
  for (const name of NOISES) console[name] = () => {}
  try {
    return work()
  } finally {
    NOISES.forEach((name, n) => {
      console[name] = before[n] ?? console.log
    })
  }
}

export const startProvider = async ({
  redirectUris,
  clientSecret = CLIENT_SECRET,
  host = '127.0.0.1',
  claimsIn = 'userinfo',
}: RealProviderOptions): Promise<RealProvider> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
  const people = new Map<string, PersonClaims>()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [
          {
            client_id: CLIENT_ID,
            redirect_uris: [...redirectUris],
            grant_types: ['authorization_code'],
            response_types: ['code'],
            ...(clientSecret === null
              ? { token_endpoint_auth_method: 'none' as const }
              : { client_secret: clientSecret }),
          },
        ],
        claims: {
          openid: ['sub'],
          profile: ['preferred_username', 'name', 'groups', 'nested'],
          email: ['email'],
        },
        conformIdTokenClaims: claimsIn === 'userinfo',
        ttl: Object.fromEntries(TTLS.map(name => [name, 3_600])),
        cookies: { keys: ['a key of a test'] },
        jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' } as never] },
        findAccount: (_ctx, sub) => ({
          accountId: sub,
          claims: async () => ({ ...people.get(sub), sub }),
        }),
        // as most do: a client of confidence may leave it away, this one never does
        pkce: { required: () => true },
      }),
  )
  server.on(
    'request',
    quietly(() => provider.callback()),
  )
  return {
    issuer,
    people,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
