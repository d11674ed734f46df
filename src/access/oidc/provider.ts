// The provider of OpenID Connect as this server sees it: where people are sent, and what is known of who comes back. The
// protocol is openid-client's, loaded when somebody first signs in. No answer of the provider gets into an error or the
// log: it may hold tokens.
import type { ClientAuth, Configuration } from 'openid-client'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Attempt } from './attempt.ts'
import type { OidcOptions } from './options.ts'
import { type Claims, claimAt, mergedClaims } from './person.ts'
import { createProviderFetch, ProviderAwayError } from './provider-fetch.ts'

type Library = typeof import('openid-client')
type Secrets = Pick<Attempt, 'state' | 'nonce' | 'verifier'>

export interface Provider {
  /** Where the browser is sent. @throws OIDC_UNAVAILABLE, OIDC_FAILED */
  addressFor(secrets: Secrets, callback: URL): Promise<string>
  /**
   * What the provider says of who came back, signed by it and meant for this attempt.
   * @param callback with the query that the browser brought
   * @throws OIDC_DENIED, OIDC_FAILED, OIDC_UNAVAILABLE
   */
  claimsOf(secrets: Secrets, callback: URL): Promise<Claims>
  /** Ends what is under way. Idempotent. */
  close(): void
}

interface ProviderDeps {
  options: OidcOptions
  log: Pick<Log, 'warn'>
  /** Milliseconds of a monotonic clock. */
  steady: () => number
}

/** Of each request to the provider; a sign-in makes four of them at most. */
const TIMEOUT_SECONDS = 5
/** How long the provider's metadata and keys count as read. */
const RENEWED_AFTER_MS = 60 * 60_000
/** How long one failure to read them stands for the next tries. */
const FAILED_COUNTS_MS = 2_000
const METHOD_BASIC = 'client_secret_basic'

/** Errors of the library have codes of capitals, those of OAuth itself are words. */
const SAFE = /^[A-Za-z0-9_]{1,60}$/
const safe = (text: unknown): string | null => (typeof text === 'string' && SAFE.test(text) ? text : null)

/** What went wrong, in words of ours and codes alone. */
const reasonOf = (error: unknown): string => {
  const { code, error: told, name } = (error ?? {}) as { code?: unknown; error?: unknown; name?: unknown }
  return [safe(code), safe(told)].filter(word => word !== null).join(' ') || (safe(name) ?? 'unknown')
}

/** The provider speaks for one issuer per tenant, and says a pattern of them. */
class ManyIssuersError extends Error {
  readonly code = 'MANY_ISSUERS'
}

/** The library wraps what it does not know. */
const awayIn = (error: unknown): ProviderAwayError | null => {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth += 1)
    if (one instanceof ProviderAwayError) return one
  return null
}

/** As the provider takes it: in the header, unless it says that it takes it in the body alone. */
const authOf = (
  { ClientSecretBasic, ClientSecretPost, None }: Library,
  secret: string | null,
): ClientAuth => {
  if (secret === null) return None()
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported
    return (!methods || methods.includes(METHOD_BASIC) ? basic : post)(server, ...rest)
  }
}

export const createProvider = ({ options, log, steady }: ProviderDeps): Provider => {
  const closing = new AbortController()
  const fetchBounded = createProviderFetch(closing.signal)
  let known: { configuration: Configuration; at: number } | null = null
  let loading: Promise<Configuration> | null = null
  let failed: { error: MadhavaError; at: number } | null = null

  const translated = (error: unknown): MadhavaError => {
    const away = awayIn(error)
    if (away) {
      log.warn({ reason: away.message }, 'the provider of the sign-in does not answer')
      return new MadhavaError('OIDC_UNAVAILABLE')
    }
    log.warn({ reason: reasonOf(error) }, 'what the provider of the sign-in has sent cannot be used')
    // its keys may have changed since they were read
    if (known) known.at = Number.NEGATIVE_INFINITY
    return new MadhavaError('OIDC_FAILED')
  }

  const load = async (library: Library): Promise<Configuration> => {
    const { discovery, allowInsecureRequests, enableNonRepudiationChecks, customFetch } = library
    const issuer = new URL(options.issuer)
    const configuration = await discovery(
      issuer,
      options.clientId,
      undefined,
      authOf(library, options.clientSecret),
      {
        [customFetch]: fetchBounded,
        timeout: TIMEOUT_SECONDS,
        // settings take http on this machine alone. The second: the signature counts too, not the connection only
        execute: [
          ...(issuer.protocol === 'http:' ? [allowInsecureRequests] : []),
          enableNonRepudiationChecks,
        ],
      },
    )
    // as that of `common` at Entra ID, which the library takes: whoever has a tenant there names groups as they like
    if (configuration.serverMetadata().issuer.includes('{')) throw new ManyIssuersError()
    known = { configuration, at: steady() }
    failed = null
    return configuration
  }

  /** @throws OIDC_UNAVAILABLE, OIDC_FAILED when it was never read */
  const configurationOf = async (library: Library): Promise<Configuration> => {
    if (known && steady() - known.at < RENEWED_AFTER_MS) return known.configuration
    try {
      if (failed && steady() - failed.at < FAILED_COUNTS_MS) throw failed.error
      loading ??= load(library)
        .catch((error: unknown) => {
          failed = { error: translated(error), at: steady() }
          throw failed.error
        })
        .finally(() => {
          loading = null
        })
      return await loading
    } catch (error) {
      // what was read before is better than nothing
      if (known) return known.configuration
      throw error
    }
  }

  const readMore = async (
    { fetchUserInfo }: Library,
    configuration: Configuration,
    claims: Claims,
    token: string,
  ): Promise<Claims> => {
    const isEnough =
      (claimAt(claims, options.groupsClaim) ?? null) !== null &&
      (claims.preferred_username !== undefined || claims.email !== undefined)
    if (isEnough || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
    const more = await fetchUserInfo(configuration, token, String(claims.sub))
    return mergedClaims(claims, more)
  }

  return {
    async addressFor({ state, nonce, verifier }, callback) {
      const library = await import('openid-client')
      const configuration = await configurationOf(library)
      try {
        return library.buildAuthorizationUrl(configuration, {
          response_type: 'code',
          redirect_uri: callback.href,
          scope: options.scopes,
          state,
          nonce,
          code_challenge: await library.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        }).href
      } catch (error) {
        // its metadata may lack the address, or name one that is none
        throw translated(error)
      }
    },

    async claimsOf({ state, nonce, verifier }, callback) {
      const library = await import('openid-client')
      const configuration = await configurationOf(library)
      try {
        const tokens = await library.authorizationCodeGrant(configuration, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        return await readMore(library, configuration, { ...tokens.claims() }, tokens.access_token)
      } catch (error) {
        if (error instanceof library.AuthorizationResponseError) {
          const told = safe(error.error)
          throw new MadhavaError(
            'OIDC_DENIED',
            told === null ? undefined : `The provider has refused the sign-in: ${told}`,
          )
        }
        throw translated(error)
      }
    },

    close: () => closing.abort(),
  }
}
