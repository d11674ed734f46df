// Logins: POST /sessions begins one, DELETE /sessions/current ends it; GET /me says who asks.
import { Hono } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { demand } from '../core/policy.ts'
import { loggedIn, login, me, newPasswordBody, readBodyAs, sessionList } from './access-schemas.ts'
import { deletionQuery } from './accounts.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, originOf } from './context.ts'
import { demandAnswer, LOGIN_COOKIE } from './identify.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'

const logIn: Operation = {
  id: 'logIn',
  need: 'open',
  tag: 'access',
  summary: 'Log in',
  description:
    'A browser keeps the cookie; a program sends `token` as `Authorization: Bearer`. The session ends after 12 hours, with a logout, and with a change of the password.',
  body: { content: { [JSON_TYPE]: login }, example: { name: 'ada', password: 'correct horse battery' } },
  answers: {
    201: {
      description: 'The session.',
      headers: { 'Set-Cookie': 'the same token, for browsers' },
      content: { [JSON_TYPE]: loggedIn },
    },
  },
  errors: ['LOGIN_WRONG', 'TOO_MANY_REQUESTS', 'STORE_FULL'],
}

const logOut: Operation = {
  id: 'logOut',
  need: 'open',
  tag: 'access',
  summary: 'Log out: end the session that is shown',
  answers: { 204: { description: 'It has ended, or had ended before.' } },
}

const listSessions: Operation = {
  id: 'listSessions',
  need: 'login',
  tag: 'access',
  summary: 'The sessions of your account',
  answers: { 200: { description: 'All that are valid.', content: { [JSON_TYPE]: sessionList } } },
  errors: ['FORBIDDEN'],
}

const endSession: Operation = {
  id: 'endSession',
  need: 'login',
  tag: 'access',
  summary: 'End a session of your account',
  path: { id: z.string().describe('of the session') },
  answers: { 204: { description: 'It has ended.' } },
  errors: ['FORBIDDEN', 'SESSION_NOT_FOUND'],
}

const getMe: Operation = {
  id: 'getMe',
  need: 'anyone',
  tag: 'access',
  summary: 'Who you are, and what you may do',
  answers: { 200: { description: 'As of now.', content: { [JSON_TYPE]: me } } },
}

const changePassword: Operation = {
  id: 'changePassword',
  need: 'login',
  tag: 'access',
  summary: 'Change your password; all your other sessions end',
  body: {
    content: { [JSON_TYPE]: newPasswordBody },
    example: { password: 'correct horse battery', newPassword: 'staple and a half' },
  },
  answers: { 204: { description: 'It is changed.' } },
  errors: [
    'FORBIDDEN',
    'LOGIN_WRONG',
    'PASSWORD_INVALID',
    'PASSWORD_IS_SETTING',
    'PASSWORD_NOT_SET',
    'TOO_MANY_REQUESTS',
  ],
}

const deleteMe: Operation = {
  id: 'deleteMe',
  need: 'login',
  tag: 'access',
  summary: 'Delete your account; its tasks stay under its id, unless `tasks=remove`',
  query: deletionQuery,
  answers: { 204: { description: 'It is deleted, with its sessions and keys.' } },
  errors: ['SCOPE_MISSING', 'ACCOUNT_BUILT_IN'],
}

/** Of the cookie of a login, however somebody has logged in. */
const COOKIE = {
  path: '/',
  httpOnly: true,
  sameSite: 'Strict',
  // as at the dashboard: a server of plain HTTP cannot know whether a proxy ends TLS
  secure: false,
} as const

/** Gives a browser its session. @param seconds how long it lasts */
export const setLoginCookie = (c: ApiContext, token: string, seconds: number): void =>
  setCookie(c, LOGIN_COOKIE, token, { ...COOKIE, maxAge: Math.max(0, Math.ceil(seconds)) })

/** Seconds until a session ends. */
export const secondsUntil = (expiresAt: string, now: Date): number =>
  (Date.parse(expiresAt) - now.getTime()) / 1000

export const sessionRoutes = ({ access, clock }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/sessions', describe(logIn), async c => {
      const begun = await access.logIn(await readBodyAs(c, login), originOf(c))
      setLoginCookie(c, begun.token, secondsUntil(begun.expiresAt, clock()))
      return sendJson(c, begun, 201)
    })
    .get('/sessions', describe(listSessions), async c =>
      sendJson(c, { sessions: await access.sessions(c.get('actor')) }),
    )
    .delete('/sessions/current', describe(logOut), async c => {
      demandAnswer(c)
      const actor = c.get('actor')
      if (actor.credential?.type === 'session') await access.logOut(actor)
      deleteCookie(c, LOGIN_COOKIE, COOKIE)
      return c.body(null, 204)
    })
    .delete('/sessions/:id', describe(endSession), async c => {
      await access.endSession(c.get('actor'), c.req.param('id'))
      return c.body(null, 204)
    })
    .get('/me', describe(getMe), async c => {
      const actor = c.get('actor')
      // a stranger who may do nothing is told to log in
      if (actor.account === null) demand(actor, 'read')
      return sendJson(c, await access.me(actor))
    })
    .put('/me/password', describe(changePassword), async c => {
      await access.changePassword(c.get('actor'), await readBodyAs(c, newPasswordBody), originOf(c))
      return c.body(null, 204)
    })
    .delete('/me', describe(deleteMe), async c => {
      const actor = c.get('actor')
      const { tasks } = deletionQuery.read(c.req.url)
      await access.deleteAccount(actor, actor.account ?? '', tasks)
      deleteCookie(c, LOGIN_COOKIE, COOKIE)
      return c.body(null, 204)
    })
