// Accounts and invitations. POST /accounts is for everybody whom REGISTRATION lets in, the rest for admins.
import { Hono } from 'hono'
import { z } from 'zod'
import { TASKS_OF_DELETED } from '../core/account-forms.ts'
import { PAGE_LIMIT } from '../core/filter.ts'
import {
  account,
  accountChange,
  accountPage,
  invitationList,
  invitationMade,
  invitationWanted,
  readBodyAs,
  registration,
} from './access-schemas.ts'
import { type ApiDeps, type ApiEnv, originOf } from './context.ts'
import { demandAnswer } from './identify.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { plainPageQuery } from './list-query.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery } from './query.ts'

const createAccount: Operation = {
  id: 'createAccount',
  need: 'open',
  tag: 'access',
  summary: 'Make an account',
  description:
    'Open to everybody with `REGISTRATION=open`, else with an invitation, which works once. An admin makes accounts with a `role`.',
  body: {
    content: { [JSON_TYPE]: registration },
    example: { name: 'ada', password: 'correct horse battery', invitation: 'mdi_…' },
  },
  answers: { 201: { description: 'The account. Log in next.', content: { [JSON_TYPE]: account } } },
  errors: [
    'UNAUTHORIZED',
    'SCOPE_MISSING',
    'REGISTRATION_CLOSED',
    'INVITATION_INVALID',
    'NAME_TAKEN',
    'NAME_INVALID',
    'PASSWORD_INVALID',
    'TOO_MANY_REQUESTS',
    'STORE_FULL',
  ],
}

const ofAccount = { id: z.string().describe('of the account') }

const listAccounts: Operation = {
  id: 'listAccounts',
  need: 'admin',
  tag: 'access',
  summary: 'All accounts, by pages',
  query: plainPageQuery,
  answers: { 200: { description: 'A page.', content: { [JSON_TYPE]: accountPage } } },
  errors: ['BAD_CURSOR'],
}

const changeAccount: Operation = {
  id: 'changeAccount',
  need: 'admin',
  audit: 'account.change',
  tag: 'access',
  summary: 'Change the role or the password of an account, disable or enable it',
  path: ofAccount,
  body: { content: { [JSON_TYPE]: accountChange }, example: { disabled: true } },
  answers: { 200: { description: 'The account.', content: { [JSON_TYPE]: account } } },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_BUILT_IN', 'PASSWORD_INVALID'],
}

export const deletionQuery = defineQuery({
  tasks: z
    .enum(TASKS_OF_DELETED, `must be ${TASKS_OF_DELETED.join(' or ')}`)
    .optional()
    .describe(
      '`keep`: they stay under the id of the account. `remove`: those that wait are cancelled, those that run are asked to end, and all are removed within some seconds, or when they have ended. Left out: `keep`',
    ),
})

const deleteAccount: Operation = {
  id: 'deleteAccount',
  need: 'admin',
  audit: 'account.delete',
  tag: 'access',
  summary: 'Delete an account, with its sessions and keys',
  description: 'Its id is never used again. Its tasks stay under it, unless `tasks=remove`.',
  path: ofAccount,
  query: deletionQuery,
  answers: { 204: { description: 'It is deleted.' } },
  errors: ['ACCOUNT_NOT_FOUND', 'ACCOUNT_BUILT_IN'],
}

const invite: Operation = {
  id: 'createInvitation',
  need: 'admin',
  audit: 'invitation.create',
  tag: 'access',
  summary: 'Invite somebody',
  body: { content: { [JSON_TYPE]: invitationWanted }, example: { role: 'user', note: 'for Ada' } },
  answers: {
    201: { description: 'The invitation, shown this once.', content: { [JSON_TYPE]: invitationMade } },
  },
  errors: ['STORE_FULL'],
}

const listInvitations: Operation = {
  id: 'listInvitations',
  need: 'admin',
  tag: 'access',
  summary: 'Invitations that can still be used',
  answers: { 200: { description: 'All of them.', content: { [JSON_TYPE]: invitationList } } },
}

const withdrawInvitation: Operation = {
  id: 'withdrawInvitation',
  need: 'admin',
  audit: 'invitation.withdraw',
  tag: 'access',
  summary: 'Withdraw an invitation',
  path: { id: z.string().describe('of the invitation') },
  answers: { 204: { description: 'It can no longer be used.' } },
  errors: ['INVITATION_NOT_FOUND'],
}

export const accountRoutes = ({ access }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/accounts', describe(createAccount), async c => {
      const { invitation = null, role = null, ...wanted } = await readBodyAs(c, registration)
      demandAnswer(c)
      const made = await access.register(c.get('actor'), { ...wanted, invitation, role }, originOf(c))
      return sendJson(c, made, 201)
    })
    .get('/accounts', describe(listAccounts), async c => {
      const { limit = PAGE_LIMIT.default, cursor = null } = plainPageQuery.read(c.req.url)
      const { items, next } = await access.accounts(c.get('actor'), { limit, cursor })
      return sendJson(c, { accounts: items, next })
    })
    .patch('/accounts/:id', describe(changeAccount), async c => {
      const { role, disabled, password } = await readBodyAs(c, accountChange)
      const changes = {
        ...(role === undefined ? {} : { role }),
        ...(disabled === undefined ? {} : { disabled }),
        ...(password === undefined ? {} : { password }),
      }
      return sendJson(c, await access.changeAccount(c.get('actor'), c.req.param('id'), changes))
    })
    .delete('/accounts/:id', describe(deleteAccount), async c => {
      const { tasks } = deletionQuery.read(c.req.url)
      await access.deleteAccount(c.get('actor'), c.req.param('id'), tasks)
      return c.body(null, 204)
    })
    .post('/invitations', describe(invite), async c =>
      sendJson(c, await access.invite(c.get('actor'), await readBodyAs(c, invitationWanted)), 201),
    )
    .get('/invitations', describe(listInvitations), async c =>
      sendJson(c, { invitations: await access.invitations(c.get('actor')) }),
    )
    .delete('/invitations/:id', describe(withdrawInvitation), async c => {
      await access.withdrawInvitation(c.get('actor'), c.req.param('id'))
      return c.body(null, 204)
    })
