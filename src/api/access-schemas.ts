// The shapes of accounts, logins, keys, invitations and the audit in the document of the REST API; those that come in also read
// the bodies.
import { z } from 'zod'
import {
  type AccountView,
  type InvitationView,
  type KeyView,
  type Me,
  type SessionView,
  type ShareView,
  SIGN_IN_WAYS,
} from '../access/access.ts'
import { ACCESS_BOUNDS } from '../access/bounds.ts'
import { SCOPES } from '../core/actor.ts'
import { AUDIT_ACTION_NAMES, AUDIT_VIAS, type AuditEntry } from '../core/audit.ts'
import { MadhavaError } from '../core/errors.ts'
import { time as timeField } from '../core/field-types.ts'
import { ACCOUNT_ROLES } from '../core/policy.ts'
import { formatProblems, problemsOf } from '../core/problems.ts'
import { explainUnknownFields } from '../core/unknown-fields.ts'
import type { ApiContext } from './context.ts'
import { readJson } from './json.ts'
import { input, output } from './named-schemas.ts'

const time = z.string().describe('ISO-8601')
const role = z
  .enum(ACCOUNT_ROLES)
  .describe('viewer: sees all; user: has tasks of their own; operator: acts on all; admin: also on accounts')
const scopes = z.array(z.enum(SCOPES))
const sees = z.enum(['all', 'own-and-unowned', 'own'])

const nameOf = (what: string) => z.string().max(ACCESS_BOUNDS.name).describe(what)
/** Longer ones are refused before anything is done with them; the room access says what a good one is. */
const password = z.string().max(ACCESS_BOUNDS.password)

export const registration = input(
  'Registration',
  z.strictObject({
    name: nameOf('1 to 64 letters, digits and . _ - + @'),
    password: password.describe('8 to 256 characters'),
    invitation: z
      .string()
      .max(ACCESS_BOUNDS.invitation)
      .optional()
      .describe('as an admin gave it; it works once'),
    role: role.optional().describe('for admins: makes an account without an invitation'),
  }),
)
export const login = input('Login', z.strictObject({ name: nameOf('of the account'), password }))
export const newPasswordBody = input(
  'PasswordChange',
  z.strictObject({ password: password.describe('the present one'), newPassword: password }),
)
export const keyWanted = input(
  'KeyWanted',
  z.strictObject({
    name: z.string().min(1).max(ACCESS_BOUNDS.keyName).describe('what it is for, for people'),
    scopes: scopes.min(1),
    kinds: z
      .array(z.string().max(ACCESS_BOUNDS.kindName))
      .min(1)
      .max(ACCESS_BOUNDS.kinds)
      .nullable()
      .optional()
      .describe('only these kinds'),
    own: z.boolean().optional().describe('only tasks of the account itself'),
    expiresAt: timeField.schema.nullable().optional().describe('null: never'),
  }),
)
const { invitationSeconds } = ACCESS_BOUNDS
export const invitationWanted = input(
  'InvitationWanted',
  z.strictObject({
    role: role.default('user'),
    note: z.string().max(ACCESS_BOUNDS.note).nullable().default(null).describe('what it is for, for people'),
    seconds: z
      .int()
      .min(invitationSeconds.min)
      .max(invitationSeconds.max)
      .default(invitationSeconds.default)
      .describe('how long it is valid; a week when left out'),
  }),
)
export const accountChange = input(
  'AccountChange',
  z.strictObject({
    role: role.optional(),
    disabled: z.boolean().optional().describe('true: its logins and keys are not valid, until false'),
    password: password.optional().describe('a new one; it ends all sessions'),
  }),
)

export const account = output(
  'Account',
  z.object({
    id: z.string().describe('the owner of its tasks; never used again'),
    name: z.string(),
    role,
    createdAt: time.nullable().describe('null: by the start of the server'),
    disabledAt: time.nullable(),
    signIn: z
      .array(z.enum(SIGN_IN_WAYS))
      .describe('how its owner may sign in; oidc: by the provider of OpenID Connect'),
  }) satisfies z.ZodType<AccountView>,
)
export const accountPage = output(
  'AccountPage',
  z.object({ accounts: z.array(account), next: z.string().nullable() }),
)
export const session = output(
  'Session',
  z.object({
    id: z.string(),
    createdAt: time,
    expiresAt: time,
    address: z.string().nullable(),
    agent: z.string().nullable(),
    current: z.boolean().describe('the one that asks'),
  }) satisfies z.ZodType<SessionView>,
)
export const sessionList = output('SessionList', z.object({ sessions: z.array(session) }))
export const loggedIn = output(
  'LoggedIn',
  z.object({
    token: z.string().describe('for programs: send it as Authorization: Bearer'),
    expiresAt: time,
    account,
  }),
)
const keyShape = {
  id: z.string(),
  name: z.string(),
  scopes,
  kinds: z.array(z.string()).nullable(),
  own: z.boolean(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable().describe('written at most once a minute'),
}
export const key = output('Key', z.object(keyShape) satisfies z.ZodType<KeyView>)
export const keyMade = output(
  'KeyMade',
  z.object({ ...keyShape, key: z.string().describe('shown this once') }),
)
export const keyList = output('KeyList', z.object({ keys: z.array(key) }))
const invitationShape = {
  id: z.string(),
  role,
  note: z.string().nullable(),
  by: z.string().describe('who made it'),
  createdAt: time,
  expiresAt: time,
}
export const invitation = output('Invitation', z.object(invitationShape) satisfies z.ZodType<InvitationView>)
export const invitationMade = output(
  'InvitationMade',
  z.object({ ...invitationShape, invitation: z.string().describe('shown this once') }),
)
export const invitationList = output('InvitationList', z.object({ invitations: z.array(invitation) }))
const shareShape = {
  id: z.string(),
  task: z.string(),
  by: z
    .string()
    .nullable()
    .describe('the name of who made it; null: a stranger, or somebody whom the caller does not see'),
  createdAt: time,
  expiresAt: time,
}
export const shareWanted = input(
  'ShareWanted',
  z.strictObject({
    seconds: z
      .int()
      .min(ACCESS_BOUNDS.shareSeconds.min)
      .max(ACCESS_BOUNDS.shareSeconds.max)
      .default(ACCESS_BOUNDS.shareSeconds.default)
      .describe('how long it is valid; a day when left out'),
  }),
)
export const shareMade = output(
  'ShareMade',
  z.object({
    ...shareShape,
    token: z.string().describe('shown this once'),
    link: z.string().describe('where the task is read: a path of this server'),
  }),
)
export const shareList = output(
  'ShareList',
  z.object({ shares: z.array(z.object(shareShape) satisfies z.ZodType<ShareView>) }),
)

export const ticketMade = output(
  'TicketMade',
  z.object({
    ticket: z.string().describe('for the query of GET /ws; it works once'),
    expiresAt: time,
  }),
)
export const auditPage = output(
  'AuditPage',
  z.object({
    entries: z.array(
      z.object({
        id: z.string(),
        at: time,
        actor: z
          .object({ account: z.string().describe('its id'), name: z.string() })
          .nullable()
          .describe('null: nobody had logged in'),
        via: z.enum(AUDIT_VIAS),
        action: z.enum(AUDIT_ACTION_NAMES),
        target: z.string().nullable().describe('an id first, then what else there is to say'),
        outcome: z.string().describe('`done`, `unknown` after a kill, or the code of an error'),
        address: z.string().nullable(),
      }) satisfies z.ZodType<AuditEntry>,
    ),
    next: z.string().nullable(),
  }),
)
export const me = output(
  'Me',
  z.object({
    account: account.nullable().describe('null: nobody has logged in'),
    scopes: scopes.readonly(),
    sees,
    kinds: z.array(z.string()).readonly().nullable().describe('null: every kind'),
    credential: z
      .object({ type: z.enum(['key', 'session']), id: z.string() })
      .nullable()
      .describe('what was shown'),
    expiresAt: time.nullable(),
  }) satisfies z.ZodType<Me>,
)

/** A body of this shape. @throws BAD_REQUEST naming each problem, and as `readJson` */
export const readBodyAs = async <T>(c: ApiContext, schema: z.ZodType<T>): Promise<T> => {
  const parsed = schema.safeParse(await readJson(c), { error: explainUnknownFields })
  if (parsed.success) return parsed.data
  const problems = problemsOf(parsed.error)
  throw new MadhavaError('BAD_REQUEST', `The body cannot be used: ${formatProblems(problems, 'it')}`, {
    detail: { problems },
  })
}
