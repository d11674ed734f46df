// Keys for programs: they belong to an account, and may do less than it.
import { Hono } from 'hono'
import { z } from 'zod'
import { keyList, keyMade, keyWanted, readBodyAs } from './access-schemas.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'

const createKey: Operation = {
  id: 'createKey',
  need: 'login',
  tag: 'access',
  summary: 'Make a key',
  description:
    'Send it as `Authorization: Bearer`. It may do what its scopes say and its account may. `kinds` and `own` narrow which tasks it sees and submits. A key makes no keys.',
  body: {
    content: { [JSON_TYPE]: keyWanted },
    example: { name: 'nightly report', scopes: ['read', 'submit'], own: true },
  },
  answers: { 201: { description: 'The key, shown this once.', content: { [JSON_TYPE]: keyMade } } },
  errors: ['SCOPE_MISSING', 'FORBIDDEN', 'TOO_MANY_KEYS', 'STORE_FULL'],
}

const listKeys: Operation = {
  id: 'listKeys',
  need: 'login',
  tag: 'access',
  summary: 'The keys of your account',
  answers: { 200: { description: 'All that are valid.', content: { [JSON_TYPE]: keyList } } },
}

const revokeKey: Operation = {
  id: 'revokeKey',
  need: 'login',
  tag: 'access',
  summary: 'Revoke a key of your account, at once on all hosts',
  path: { id: z.string().describe('of the key') },
  answers: { 204: { description: 'It is no longer valid.' } },
  errors: ['KEY_NOT_FOUND'],
}

export const keyRoutes = ({ access }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/keys', describe(createKey), async c => {
      const { kinds = null, own = false, expiresAt = null, ...wanted } = await readBodyAs(c, keyWanted)
      return sendJson(c, await access.createKey(c.get('actor'), { ...wanted, kinds, own, expiresAt }), 201)
    })
    .get('/keys', describe(listKeys), async c => sendJson(c, { keys: await access.keys(c.get('actor')) }))
    .delete('/keys/:id', describe(revokeKey), async c => {
      await access.revokeKey(c.get('actor'), c.req.param('id'))
      return c.body(null, 204)
    })
