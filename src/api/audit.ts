// GET /audit: who has changed what, by page and filter, for admins. The entries are written elsewhere.
import { Hono } from 'hono'
import { z } from 'zod'
import { AUDIT_ACTION_NAMES, type AuditFilter } from '../core/audit.ts'
import { AUDIT_BOUNDS } from '../core/audit-form.ts'
import { PAGE_LIMIT } from '../core/filter.ts'
import { auditPage } from './access-schemas.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { instantParameter, plainPageQuery, words } from './list-query.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery, textParameter } from './query.ts'

const auditQuery = defineQuery({
  limit: plainPageQuery.parameters.limit as z.ZodType<number | undefined>,
  cursor: plainPageQuery.parameters.cursor as z.ZodType<string | undefined>,
  actor: textParameter(AUDIT_BOUNDS.name).optional().describe('the name or the id of an account'),
  action: words()
    .pipe(z.array(z.enum(AUDIT_ACTION_NAMES, `must be out of ${AUDIT_ACTION_NAMES.join(', ')}`)))
    .optional()
    .describe('one of these; several times, or several separated by commas'),
  target: textParameter(AUDIT_BOUNDS.target).optional().describe('an id, or the whole target'),
  outcome: textParameter(AUDIT_BOUNDS.outcome)
    .optional()
    .describe('`done`, `unknown`, or the code of an error'),
  from: instantParameter.optional().describe('at this time or later: a day, or a time with its zone'),
  to: instantParameter.optional().describe('before this time'),
})

const listAudit: Operation = {
  id: 'listAudit',
  need: 'admin',
  tag: 'access',
  summary: 'Who has changed what, the newest first',
  description:
    'A page may hold few entries or none and not be the last: go on while there is a `next`. docs/access.md says what is in it, and `AUDIT_RETENTION` how long.',
  query: auditQuery,
  answers: { 200: { description: 'A page.', content: { [JSON_TYPE]: auditPage } } },
  errors: ['BAD_CURSOR'],
}

export const auditRoutes = ({ service }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/audit', describe(listAudit), async c => {
    const { limit = PAGE_LIMIT.default, cursor = null, action, ...filter } = auditQuery.read(c.req.url)
    const wanted: AuditFilter = { ...filter, actions: action }
    return sendJson(c, await service.audit(c.get('actor'), wanted, { limit, cursor }))
  })
