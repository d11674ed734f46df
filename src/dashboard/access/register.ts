// The page that makes an account, open to everybody: who may make one, access/register.ts decides. It works without
// scripts, and leads to the login.
import { type Context, Hono } from 'hono'
import type { Access } from '../../access/access.ts'
import { ACCESS_BOUNDS } from '../../access/bounds.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { languageOf, themeOf } from '../page-look.ts'
import { type RegisterFault, registerPage } from '../register-page.ts'
import type { WebFiles } from '../web-files.ts'
import { type DashboardEnv, originOf, readForm } from './caller.ts'
import { waitOf } from './login.ts'

export interface RegisterOptions {
  access: Pick<Access, 'register' | 'registration' | 'stranger'>
  web: Pick<WebFiles, 'style' | 'icon'>
}

interface Wanted {
  name: string
  invitation: string
}

/** The field that each error is about. */
const FIELDS = {
  NAME_TAKEN: 'name',
  NAME_INVALID: 'name',
  PASSWORD_INVALID: 'password',
  INVITATION_INVALID: 'invitation',
  REGISTRATION_CLOSED: 'invitation',
} as const
const isOfField = (code: string): code is keyof typeof FIELDS => Object.hasOwn(FIELDS, code)

/** What is wrong, for people; null: nothing that they could mend here. */
const faultOf = (error: unknown): RegisterFault | null => {
  const wait = waitOf(error)
  if (wait !== null) return { field: null, code: 'TOO_MANY_REQUESTS', seconds: wait }
  if (!isMadhavaError(error) || !isOfField(error.code)) return null
  const { reason } = (error.detail ?? {}) as { reason?: unknown }
  return {
    field: FIELDS[error.code],
    code: error.code,
    ...(typeof reason === 'string' ? { reason } : {}),
  }
}

/** GET and POST /register. */
export const createRegister = ({ access, web }: RegisterOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  const show = (c: Context, wanted: Wanted, fault: RegisterFault | null = null) =>
    registerPage(
      { web, language: languageOf(c), theme: themeOf(c) },
      { ...wanted, fault, needsInvitation: access.registration !== 'open' },
    )

  app.get('/register', c => {
    const invitation = (c.req.query('invitation') ?? '').slice(0, ACCESS_BOUNDS.invitation)
    return c.html(show(c, { name: '', invitation }))
  })

  app.post('/register', readForm, async c => {
    const form = c.get('form')
    const wanted = {
      name: (form.get('name') ?? '').slice(0, ACCESS_BOUNDS.name),
      invitation: (form.get('invitation') ?? '').trim().slice(0, ACCESS_BOUNDS.invitation),
    }
    const password = (form.get('password') ?? '').slice(0, ACCESS_BOUNDS.password + 1)
    try {
      const made = await access.register(
        access.stranger('dashboard'),
        { name: wanted.name, password, invitation: wanted.invitation || null, role: null },
        originOf(c),
      )
      return c.redirect(`/login?${new URLSearchParams({ made: made.name })}`, 303)
    } catch (error) {
      const fault = faultOf(error)
      if (!fault) throw error
      if (fault.seconds !== undefined) c.header('Retry-After', String(fault.seconds))
      return c.html(show(c, wanted, fault), fault.seconds === undefined ? 422 : 429)
    }
  })
  return app
}
