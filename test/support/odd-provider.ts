// A provider of OpenID Connect that a test makes say anything: wrong tokens, errors, nothing at all. It is right about
// everything else, PKCE and codes that count once among it.
import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Claims = Record<string, unknown>

/** What it does otherwise than a sound provider. */
export interface Odd {
  /** Of the ID token, over the right ones, as they are when the browser comes; undefined: it lacks one. */
  claims: Claims
  /** What userinfo says; null: it is refused. */
  userinfo: Claims | null
  /** Of the ID token's header. */
  header: Claims
  /** Signs with another key than the one it shows. */
  hasWrongKey: boolean
  /** The token endpoint answers so. */
  token: { status: number; body: unknown } | null
  metadata: Claims
  takesCodesAgain: boolean
  /** Paths that are never answered, or never to an end. */
  hangs: readonly string[]
  endless: readonly string[]
}

export interface OddProvider {
  issuer: string
  odd: Odd
  /** Makes it sound again. */
  reset(): void
  /** New keys, as after a rotation. */
  rotate(): void
  /**
   * As a browser that was sent there and consents: the query with which it comes back. Other processes get it as the
   * body of the address itself.
   */
  authorize(location: string): string
  /** Everything secret that went over it: codes, verifiers, tokens. */
  secrets: string[]
  /** Paths that were asked. */
  asked: string[]
  close(): Promise<void>
}

const SOUND: Odd = {
  claims: {},
  userinfo: {},
  header: {},
  hasWrongKey: false,
  token: null,
  metadata: {},
  takesCodesAgain: false,
  hangs: [],
  endless: [],
}
export const ODD_CLIENT = 'madhava'

const partOf = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const newKey = (): KeyObject & { kid: string } => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return Object.assign(privateKey, { kid: randomBytes(4).toString('hex') })
}
const tokenOf = (key: KeyObject, header: Claims, claims: Claims): string => {
  const body = `${partOf(header)}.${partOf(claims)}`
  return `${body}.${createSign('RSA-SHA256').update(body).sign(key, 'base64url')}`
}

export const startOddProvider = async (): Promise<OddProvider> => {
  let key = newKey()
  const other = newKey()
  const odd: Odd = { ...SOUND }
  const codes = new Map<string, { nonce: string; challenge: string; redirect: string; claims: Claims }>()
  /** Whom each access token is about. */
  const subjects = new Map<string, unknown>()
  const [secrets, asked] = [[] as string[], [] as string[]]

  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  const authorize = (location: string): string => {
    const asks = new URL(location).searchParams
    const code = randomBytes(16).toString('hex')
    secrets.push(code, asks.get('state') ?? '', asks.get('nonce') ?? '')
    codes.set(code, {
      nonce: asks.get('nonce') ?? '',
      challenge: asks.get('code_challenge') ?? '',
      redirect: asks.get('redirect_uri') ?? '',
      claims: odd.claims,
    })
    return `?${new URLSearchParams({ code, state: asks.get('state') ?? '', iss: issuer })}`
  }
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', issuer)
    asked.push(pathname)
    if (odd.hangs.includes(pathname)) return
    if (odd.endless.includes(pathname)) {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      }
      response.on('drain', more)
      return more()
    }
    let text = ''
    for await (const part of request) text += part
    if (pathname === '/.well-known/openid-configuration')
      return json(response, 200, {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        authorization_response_iss_parameter_supported: true,
        ...odd.metadata,
      })
    if (pathname === '/jwks') {
      const { n, e, kty } = key.export({ format: 'jwk' })
      return json(response, 200, { keys: [{ n, e, kty, kid: key.kid, use: 'sig', alg: 'RS256' }] })
    }
    if (pathname === '/authorize')
      return void response.end(authorize(new URL(request.url ?? '', issuer).href))
    if (pathname === '/userinfo') {
      const sub = subjects.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
      return odd.userinfo === null
        ? json(response, 403, { error: 'no' })
        : json(response, 200, { sub, ...odd.userinfo })
    }
    if (pathname !== '/token') return json(response, 404, {})
    const form = new URLSearchParams(text)
    const [code, verifier] = [form.get('code') ?? '', form.get('code_verifier') ?? '']
    secrets.push(verifier)
    if (odd.token) return json(response, odd.token.status, odd.token.body)
    const known = codes.get(code)
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (!known || known.challenge !== challenge || known.redirect !== form.get('redirect_uri'))
      return json(response, 400, {
        error: 'invalid_grant',
        error_description: `the code ${code} is of no use`,
      })
    if (!odd.takesCodesAgain) codes.delete(code)
    const now = Math.floor(Date.now() / 1000)
    const sound = { iss: issuer, aud: ODD_CLIENT, sub: 'ada', nonce: known.nonce, iat: now, exp: now + 60 }
    const claims: Claims = { ...sound, ...known.claims }
    const id = tokenOf(odd.hasWrongKey ? other : key, { alg: 'RS256', kid: key.kid, ...odd.header }, claims)
    const access = randomBytes(16).toString('hex')
    secrets.push(id, access)
    subjects.set(access, claims.sub)
    json(response, 200, { token_type: 'Bearer', access_token: access, id_token: id, expires_in: 60 })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    odd,
    reset: () => void Object.assign(odd, SOUND),
    rotate() {
      key = newKey()
    },
    authorize,
    secrets,
    asked,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
