// Sign-in by OpenID Connect in the room access, with a provider that says what the test wants: who gets which account,
// and everything that is refused.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { Access, OidcDoor } from '../../../src/access/access.ts'
import { createAuditedAccess } from '../../../src/access/audited-access.ts'
import type { OidcOptions } from '../../../src/access/oidc/options.ts'
import { createAuditRecorder } from '../../../src/core/audit-recorder.ts'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { auditOf } from '../../suites/audit.ts'
import { allOf } from '../../suites/documents.ts'
import { refused } from '../../suites/store/world.ts'
import { ODD_CLIENT, type OddProvider, startOddProvider } from '../../support/odd-provider.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from '../world.ts'

const MINUTE = 60_000

describe('sign-in by OpenID Connect', { timeout: 300_000 }, () => {
  let provider: OddProvider
  let world: AccessWorld
  let access: Access
  before(async () => {
    provider = await startOddProvider()
  })
  after(() => provider.close())

  const optionsOf = (more: Partial<OidcOptions> = {}): OidcOptions => ({
    issuer: provider.issuer,
    clientId: ODD_CLIENT,
    clientSecret: null,
    apiUrl: 'http://127.0.0.1:8000',
    dashboardUrl: 'https://board.example.org',
    roles: [
      { group: 'staff', role: 'user' },
      { group: 'admins', role: 'admin' },
    ],
    groupsClaim: 'groups',
    scopes: 'openid profile email',
    name: 'the company',
    ...more,
  })
  const open = (more: Partial<OidcOptions> = {}): Access => {
    const record = createAuditRecorder({
      trail: world.store.audit,
      clock: world.clock,
      onFailed: error => assert.fail(String(error)),
    })
    return createAuditedAccess(world.open({ oidc: optionsOf(more) }), record)
  }
  beforeEach(() => {
    provider.reset()
    provider.odd.claims = { preferred_username: 'ada', groups: ['staff'] }
    world = createAccessWorld()
    access = open()
  })
  afterEach(() => world.end())

  /** A sign-in that has begun and been to the provider: what the browser brings back. */
  const gone = async (at = access, door: OidcDoor = 'rest') => {
    const { location, cookie } = await at.beginSignIn(door, null)
    const query = provider.authorize(location)
    return {
      location,
      cookie,
      query,
      answer: { door, query, cookieOf: (name: string) => (name === cookie.name ? cookie.value : undefined) },
    }
  }
  const end = (answer: Awaited<ReturnType<typeof gone>>['answer'], at = access) =>
    at.endSignIn(answer, newOrigin())
  const signIn = async (at = access) => end((await gone(at)).answer, at)
  const actorOf = async (at = access) => {
    const { token } = await signIn(at)
    return at.identify(token, 'rest')
  }
  /** As `name action outcome target`, the oldest first. */
  const audit = async (): Promise<string[]> =>
    (await auditOf(world.store))
      .reverse()
      .map(({ actor, action, outcome, target }) => `${actor?.name ?? '-'} ${action} ${outcome} ${target}`)

  describe('sends people to the provider', () => {
    it('with state, nonce and the challenge of PKCE, and to the address of its settings alone', async () => {
      const { location, cookie } = await access.beginSignIn('dashboard', '/x')
      const { origin, pathname, searchParams } = new URL(location)
      assert.equal(origin + pathname, `${provider.issuer}/authorize`)
      const { state, nonce, code_challenge: challenge, ...rest } = Object.fromEntries(searchParams)
      assert.deepEqual(rest, {
        response_type: 'code',
        client_id: ODD_CLIENT,
        redirect_uri: 'https://board.example.org/login/oidc/callback',
        scope: 'openid profile email',
        code_challenge_method: 'S256',
      })
      for (const text of [state, nonce, challenge]) assert.match(text ?? '', /^[\w-]{43}$/)
      assert.equal(cookie.isSecure, true)
      assert.equal(cookie.seconds, 600)
      for (const text of [state, nonce]) assert.ok(text && !cookie.value.includes(text))
      assert.equal((await access.beginSignIn('rest', null)).cookie.isSecure, false)
    })

    it('and keeps nothing of it, however many begin', async () => {
      for (let n = 0; n < 50; n += 1) await access.beginSignIn('rest', '/')
      assert.deepEqual(await allOf(world.documents, 'ended-sign-ins'), [])
      assert.deepEqual(await allOf(world.documents, 'identities'), [])
    })

    it('not where it is not set up, nor at a door without an address', async () => {
      assert.equal(world.access.oidc, null)
      const query = ''
      for (const [at, door] of [
        [world.access, 'rest'],
        [open({ apiUrl: null }), 'rest'],
        [open({ dashboardUrl: null }), 'dashboard'],
      ] as const) {
        await refused(() => at.beginSignIn(door, null), 'OIDC_NOT_SET_UP')
        await refused(() => at.endSignIn({ door, query, cookieOf: () => '' }, newOrigin()), 'OIDC_NOT_SET_UP')
      }
      assert.deepEqual(open({ apiUrl: null }).oidc, { name: 'the company', doors: ['dashboard'] })
    })
  })

  describe('gives an account', () => {
    it('of its own to each person, by issuer and subject', async () => {
      const { account, expiresAt } = await signIn()
      assert.deepEqual([account.name, account.role, account.signIn], ['ada', 'user', ['oidc']])
      assert.equal(Date.parse(expiresAt) - world.clock().getTime(), 12 * 60 * MINUTE)
      provider.odd.claims = {
        ...provider.odd.claims,
        preferred_username: 'another',
        email: 'new@example.org',
      }
      assert.equal((await signIn()).account.id, account.id)
      provider.odd.claims = { sub: 'bob', preferred_username: 'ada', groups: ['staff'] }
      const bob = (await signIn()).account
      assert.notEqual(bob.id, account.id)
      assert.equal(bob.name, 'ada-2')
      assert.deepEqual(await audit(), [
        `- account.register done ${account.id} role=user by=oidc`,
        `ada login done ${account.id} by=oidc`,
        `ada login done ${account.id} by=oidc`,
        `- account.register done ${bob.id} role=user by=oidc`,
        `ada-2 login done ${bob.id} by=oidc`,
      ])
    })

    it('and never takes over one that has the name, be it the operator', async () => {
      const { account } = await world.join('Ada')
      await world.operator()
      const own = (await signIn()).account
      assert.notEqual(own.id, account.id)
      assert.equal(own.name, 'ada-2')
      for (const [n, name] of ['operator', 'OPERATOR', 'viewer', 'nobody'].entries()) {
        provider.odd.claims = { sub: `s${n}`, preferred_username: name, groups: ['staff'] }
        const { name: got, id } = (await signIn()).account
        assert.match(got, /-\d$/)
        assert.ok(!['operator', 'viewer'].includes(id))
      }
    })

    it('with groups of userinfo, where the ID token has none', async () => {
      provider.odd.claims = {}
      provider.odd.userinfo = { preferred_username: 'ada', groups: ['admins'] }
      assert.equal((await signIn()).account.role, 'admin')
      provider.odd.userinfo = { sub: 'somebody else', groups: ['admins'] }
      await refused(() => signIn(), 'OIDC_FAILED')
      provider.odd.userinfo = null
      await refused(() => signIn(), 'OIDC_FAILED')
    })

    it('with groups inside a claim that the ID token has too, without them', async () => {
      const nested = open({ groupsClaim: 'realm_access.roles' })
      for (const inToken of [{ realm_access: { verify: true } }, { realm_access: { roles: null } }, {}]) {
        provider.odd.claims = { preferred_username: 'ada', ...inToken }
        provider.odd.userinfo = { realm_access: { roles: ['admins'] } }
        assert.equal((await signIn(nested)).account.role, 'admin')
      }
      provider.odd.claims = { realm_access: { roles: ['staff'] } }
      assert.equal((await signIn(nested)).account.role, 'user')
    })

    it('that is of the groups as they are now: sessions that are there have the new role at once', async () => {
      const actor = await actorOf()
      const { signal, close } = access.watch(actor)
      const told = new Promise(resolve => signal.addEventListener('abort', resolve))
      provider.odd.claims = { ...provider.odd.claims, groups: ['staff', 'admins'] }
      const { account, token } = await signIn()
      assert.equal(account.role, 'admin')
      await told
      close()
      const me = await access.me(actor)
      assert.deepEqual(me.scopes, ['read', 'submit', 'operate', 'admin'])
      provider.odd.claims = { ...provider.odd.claims, groups: ['staff'] }
      await signIn()
      assert.deepEqual((await access.identify(token, 'rest')).scopes, ['read', 'submit'])
      assert.deepEqual(
        (await audit()).filter(line => line.includes('account.change')),
        [
          `ada account.change done ${account.id} role=admin by=oidc`,
          `ada account.change done ${account.id} role=user by=oidc`,
        ],
      )
    })

    it('without a password: the password login is wrong as any other, and an admin may give one', async () => {
      const { actor: admin } = await world.operator()
      const actor = await actorOf()
      await refused(() => access.logIn({ name: 'ada', password: '' }, newOrigin()), 'LOGIN_WRONG')
      await refused(() => access.logIn({ name: 'ada', password: PASSWORD }, newOrigin()), 'LOGIN_WRONG')
      const passwords = { password: '', newPassword: OTHER_PASSWORD }
      await refused(() => access.changePassword(actor, passwords, newOrigin()), 'PASSWORD_NOT_SET')
      const changed = await access.changeAccount(admin, actor.account ?? '', { password: PASSWORD })
      assert.deepEqual(changed.signIn, ['password', 'oidc'])
      // as any new password does
      await refused(() => access.me(actor), 'UNAUTHORIZED')
      await access.logIn({ name: 'ada', password: PASSWORD }, newOrigin())
      assert.equal((await signIn()).account.id, actor.account)
    })

    it('to nobody whose groups have no role, and says which claim that is', async () => {
      provider.odd.claims = { preferred_username: 'ada', groups: ['others', 'STAFF'] }
      const error = await signIn().catch((thrown: unknown) => thrown)
      assert.ok(isMadhavaError(error, 'OIDC_NO_ROLE'))
      assert.match(error.message, /claim groups/)
      assert.doesNotMatch(error.message, /staff|admins/)
      assert.deepEqual(await allOf(world.documents, 'identities'), [])
      assert.deepEqual(await allOf(world.documents, 'accounts'), [])
      provider.odd.claims = { preferred_username: 'ada', groups: ['staff'] }
      const { account } = await signIn()
      provider.odd.claims = { preferred_username: 'ada' }
      await refused(() => signIn(), 'OIDC_NO_ROLE')
      assert.deepEqual(
        (await audit()).filter(line => line.includes('failed')),
        ['- login.failed OIDC_NO_ROLE null', `- login.failed OIDC_NO_ROLE ${account.id}`],
      )
    })

    it('not while it is disabled; a new one when it was deleted', async () => {
      const { actor: admin } = await world.operator()
      const { account } = await signIn()
      await access.changeAccount(admin, account.id, { disabled: true })
      const before = await gone()
      await refused(() => end(before.answer), 'ACCOUNT_DISABLED')
      assert.ok((await audit()).includes(`- login.failed ACCOUNT_DISABLED ${account.id}`))
      await access.changeAccount(admin, account.id, { disabled: false })
      assert.equal((await signIn()).account.id, account.id)
      await access.deleteAccount(admin, account.id)
      assert.deepEqual(await allOf(world.documents, 'identities'), [])
      const again = (await signIn()).account
      assert.notEqual(again.id, account.id)
      assert.equal(again.name, 'ada')
    })

    it('and lets go of a name when another sign-in of the same person was faster with another one', async () => {
      let isFirst = true
      const documents = {
        ...world.documents,
        async put(...asked: Parameters<typeof world.documents.put>) {
          const written = await world.documents.put(...asked)
          if (asked[0] === 'account-names' && isFirst) {
            isFirst = false
            provider.odd.claims = { ...provider.odd.claims, preferred_username: 'countess' }
            await signIn()
          }
          return written
        },
      }
      const slow = world.open({ oidc: optionsOf(), documents })
      const { account } = await signIn(slow)
      assert.equal(account.name, 'countess')
      assert.deepEqual(
        (await allOf(world.documents, 'account-names')).map(({ data }) => data.name),
        ['countess'],
      )
    })

    it('and does not count an identity whose account says otherwise', async () => {
      const { account } = await world.join('bob')
      const made = (await signIn()).account
      const [identity] = await allOf(world.documents, 'identities')
      assert.ok(identity)
      const data = { ...identity.data, account: account.id }
      await world.documents.put(
        'identities',
        identity.name,
        { version: 1, expiresAt: null, data },
        identity.rev,
      )
      const own = (await signIn()).account
      assert.ok(![account.id, made.id].includes(own.id), 'somebody got the account of another person')
    })
  })

  describe('refuses', () => {
    it('what comes back a second time, also two at once, and where the provider takes codes again', async () => {
      const first = await gone()
      await end(first.answer)
      provider.odd.takesCodesAgain = true
      const asked = provider.asked.length
      await refused(() => end(first.answer), 'OIDC_STATE_INVALID')
      assert.equal(provider.asked.length, asked)
      const third = await gone()
      const other = open()
      const both = await Promise.allSettled([end(third.answer), end(third.answer, other)])
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    })

    it('what comes back to another browser, another door, or after ten minutes', async () => {
      const [mine, yours] = [await gone(), await gone()]
      await refused(() => end({ ...mine.answer, cookieOf: () => undefined }), 'OIDC_STATE_INVALID')
      // the other browser's own cookie under the name that is asked for
      await refused(() => end({ ...mine.answer, cookieOf: () => yours.cookie.value }), 'OIDC_STATE_INVALID')
      await refused(
        () => end({ ...mine.answer, cookieOf: () => `${mine.cookie.value}A` }),
        'OIDC_STATE_INVALID',
      )
      for (const value of ['', 'x', 'A'.repeat(4_001), '%00', mine.cookie.value.slice(4)])
        await refused(() => end({ ...mine.answer, cookieOf: () => value }), 'OIDC_STATE_INVALID')
      await refused(() => end({ ...mine.answer, door: 'dashboard' }), 'OIDC_STATE_INVALID')
      world.pass(10 * MINUTE - 1)
      const late = open()
      await end(yours.answer, late)
      world.pass(1)
      await refused(() => end(mine.answer, late), 'OIDC_STATE_INVALID')
      assert.equal(provider.asked.filter(path => path === '/token').length > 0, true)
    })

    it('what began at another provider, or as another client: no code goes to who has not given it', async () => {
      const other = await startOddProvider()
      try {
        const { answer } = await gone()
        for (const more of [{ issuer: other.issuer }, { clientId: 'another' }]) {
          const asked = provider.asked.length
          await refused(() => end(answer, open(more)), 'OIDC_STATE_INVALID')
          assert.deepEqual([other.asked, provider.asked.length], [[], asked])
        }
        await end(answer)
      } finally {
        await other.close()
      }
    })

    it('an answer without a state, with another one, or with two', async () => {
      const { answer, query } = await gone()
      const other = new URLSearchParams(query)
      other.set('state', 'A'.repeat(43))
      for (const text of [
        '',
        '?',
        '?code=1',
        '?state=',
        '?state=%00',
        `?${other}`,
        query.replace('state=', 'st='),
      ])
        await refused(() => end({ ...answer, query: text }), 'OIDC_STATE_INVALID')
      await refused(() => end({ ...answer, query: `${query}&state=x` }), 'OIDC_FAILED')
      await refused(() => end({ ...answer, query: `${query}&code=x` }), 'OIDC_FAILED')
      await end(answer)
    })

    it('an answer of another issuer, and a code of another attempt', async () => {
      const { answer, query } = await gone()
      const mixed = new URLSearchParams(query)
      mixed.set('iss', 'https://evil.example.org')
      await refused(() => end({ ...answer, query: `?${mixed}` }), 'OIDC_FAILED')
      mixed.delete('iss')
      await refused(() => end({ ...answer, query: `?${mixed}` }), 'OIDC_FAILED')
      const stolen = new URLSearchParams((await gone()).query)
      const injected = new URLSearchParams(query)
      injected.set('code', stolen.get('code') ?? '')
      await refused(() => end({ ...answer, query: `?${injected}` }), 'OIDC_FAILED')
    })

    it('ID tokens that are not for this attempt, this client, this time, or not signed by the provider', async () => {
      const wrong: Partial<OddProvider['odd']>[] = [
        { claims: { nonce: 'another' } },
        { claims: { nonce: undefined } },
        { claims: { aud: 'another' } },
        { claims: { aud: [ODD_CLIENT, 'another'] } },
        { claims: { iss: 'https://evil.example.org' } },
        { claims: { exp: Math.floor(Date.now() / 1000) - 3_600 } },
        { claims: { sub: undefined } },
        { claims: { sub: 's'.repeat(300) } },
        { hasWrongKey: true },
        { header: { alg: 'none' } },
        { header: { alg: 'HS256' } },
        { header: { kid: 'unknown' } },
        { token: { status: 200, body: { access_token: 'a', token_type: 'Bearer' } } },
        { token: { status: 200, body: 'no' } },
        { token: { status: 401, body: { error: 'invalid_client' } } },
        { token: { status: 302, body: '' } },
      ]
      for (const one of wrong) {
        provider.reset()
        Object.assign(provider.odd, one, { claims: { groups: ['staff'], ...one.claims } })
        await refused(() => signIn(), 'OIDC_FAILED')
      }
      assert.deepEqual(await allOf(world.documents, 'accounts'), [])
      assert.deepEqual(await allOf(world.documents, 'sessions'), [])
      provider.reset()
      provider.odd.claims = { groups: ['staff'] }
      await signIn()
    })

    it('what the provider itself refuses, in words of its own code alone', async () => {
      const { location, answer } = await gone()
      const state = new URL(location).searchParams.get('state') ?? ''
      const query = (error: string) =>
        `?${new URLSearchParams({ error, state, iss: provider.issuer, error_description: 'evil words' })}`
      const told = await end({ ...answer, query: query('access_denied') }).catch((error: unknown) => error)
      assert.ok(isMadhavaError(told, 'OIDC_DENIED'))
      assert.match(told.message, /: access_denied$/)
      const odd = await end({ ...answer, query: query('<b>evil words</b>') }).catch((error: unknown) => error)
      assert.ok(isMadhavaError(odd, 'OIDC_DENIED'))
      assert.doesNotMatch(odd.message, /evil/)
    })

    it('one who tries too often, before the provider is asked', async () => {
      const origin = newOrigin()
      const { answer, query } = await gone()
      const wrong = { ...answer, query: query.replace('code=', 'code=x') }
      for (let n = 0; n < 5; n += 1) await refused(() => access.endSignIn(wrong, origin), 'OIDC_FAILED')
      const before = provider.asked.length
      await refused(() => access.endSignIn(wrong, origin), 'TOO_MANY_REQUESTS')
      assert.equal(provider.asked.length, before)
      // those from elsewhere do not wait
      await end((await gone()).answer)
    })
  })

  describe('while the provider', () => {
    it('does not answer, is refused in a bounded time, and goes on afterwards', async () => {
      const away = open({ issuer: 'http://127.0.0.1:9' })
      await refused(() => away.beginSignIn('rest', null), 'OIDC_UNAVAILABLE')
      provider.odd.hangs = ['/token']
      const { answer } = await gone()
      await refused(() => end(answer), 'OIDC_UNAVAILABLE')
      provider.reset()
      provider.odd.claims = { groups: ['staff'] }
      await end(answer)
      for (const [odd, reason] of [
        [{ endless: ['/jwks'] }, 'its answer is too large'],
        [{ token: { status: 503, body: {} } }, 'HTTP 503'],
      ] as const) {
        provider.reset()
        Object.assign(provider.odd, odd)
        const fresh = open()
        const late = await gone(fresh)
        await refused(() => end(late.answer, fresh), 'OIDC_UNAVAILABLE')
        assert.equal(world.lines().at(-1)?.reason, reason)
      }
    })

    it('is closed with the room, whatever is under way', async () => {
      provider.odd.hangs = ['/.well-known/openid-configuration']
      const begun = access.beginSignIn('rest', null)
      const isRefused = refused(() => begun, 'OIDC_UNAVAILABLE')
      await access.close()
      await isRefused
    })

    it('names another issuer than the settings, is not believed', async () => {
      provider.odd.metadata = { issuer: 'https://evil.example.org' }
      await refused(() => access.beginSignIn('rest', null), 'OIDC_FAILED')
    })

    it('says no address for people, or one that is none, fails with a code and not as a fault of the server', async () => {
      for (const endpoint of [undefined, '', 5, 'nowhere', 'javascript:alert(1)', 'ftp://127.0.0.1/']) {
        provider.odd.metadata = { authorization_endpoint: endpoint }
        const fresh = open()
        await refused(() => fresh.beginSignIn('rest', null), 'OIDC_FAILED')
      }
    })

    it('speaks for whatever tenant somebody has, is not believed: anybody could name groups', async t => {
      const issuer = 'https://login.microsoftonline.com/common/v2.0'
      t.mock.method(globalThis, 'fetch', async () =>
        Response.json({
          issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
          authorization_endpoint: `${issuer}/authorize`,
        }),
      )
      await refused(() => open({ issuer }).beginSignIn('rest', null), 'OIDC_FAILED')
      assert.equal(world.lines().at(-1)?.reason, 'MANY_ISSUERS')
    })

    it('is asked what it is once in an hour, and again when its keys have changed', async () => {
      const asked = (): number => provider.asked.filter(path => path.includes('well-known')).length
      const before = asked()
      await signIn()
      await signIn()
      assert.equal(asked(), before + 1)
      world.pass(61 * MINUTE)
      await signIn()
      assert.equal(asked(), before + 2)
      provider.rotate()
      await refused(() => signIn(), 'OIDC_FAILED')
      await signIn()
      assert.equal(asked(), before + 3)
      // what was read is used on, when it cannot be read anew
      world.pass(61 * MINUTE)
      provider.odd.hangs = ['/.well-known/openid-configuration']
      await signIn()
    })
  })

  it('leaves no secret in the log, the audit, the errors and the store', async () => {
    const tokens: string[] = []
    const errors: unknown[] = []
    const attempt = async (odd: Partial<OddProvider['odd']>): Promise<void> => {
      provider.reset()
      Object.assign(provider.odd, { claims: { groups: ['staff'] } }, odd)
      await signIn().then(
        ({ token }) => tokens.push(token),
        (error: unknown) => errors.push(error),
      )
    }
    await attempt({})
    await attempt({ claims: { groups: ['staff'], nonce: 'x' } })
    await attempt({ hasWrongKey: true })
    await attempt({ claims: { groups: [] } })
    await attempt({
      token: { status: 400, body: { error: 'invalid_grant', error_description: 'canary words' } },
    })
    await attempt({ token: { status: 500, body: 'canary words' } })
    await attempt({ userinfo: null, claims: {} })
    assert.deepEqual([tokens.length, errors.length], [1, 6])
    const wholeOf = (error: unknown): string => inspect(error, { depth: 12, showHidden: true })
    const { documents } = world
    const kept = await Promise.all(
      (['accounts', 'identities', 'ended-sign-ins', 'sessions', 'account-names'] as const).map(name =>
        allOf(documents, name),
      ),
    )
    const text = [
      JSON.stringify(world.lines()),
      JSON.stringify(await auditOf(world.store)),
      JSON.stringify(kept),
      ...errors.map(wholeOf),
    ].join('\n')
    assert.ok(provider.secrets.length > 20)
    for (const secret of [...provider.secrets, ...tokens, 'canary words'])
      assert.ok(secret !== '' && !text.includes(secret), secret)
  })
})
