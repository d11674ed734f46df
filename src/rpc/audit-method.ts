// The method of the service Madhava about the audit: its filter and its entries as structs. It decides nothing.
import { z } from 'zod'
import types from '../../gen/js/rpcinterface_types.js'
import { AUDIT_ACTION_NAMES, type AuditEntry, type AuditFilter } from '../core/audit.ts'
import { AUDIT_BOUNDS } from '../core/audit-form.ts'
import { instant } from '../core/instant.ts'
import type { Service } from '../core/service.ts'
import { parseStruct, toPage } from './arguments.ts'
import { build } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { methodFor } from './method.ts'

const filterSchema = z
  .object({
    actor: z.string().max(AUDIT_BOUNDS.name),
    actions: z.array(z.enum(AUDIT_ACTION_NAMES, `must be out of ${AUDIT_ACTION_NAMES.join(', ')}`)),
    target: z.string().max(AUDIT_BOUNDS.target),
    outcome: z.string().max(AUDIT_BOUNDS.outcome),
    timeFrom: instant,
    timeTo: instant,
  })
  .partial()

/** A text that is empty counts as left out. @throws BAD_REQUEST */
const toFilter = (given: unknown): AuditFilter => {
  const { actor, target, outcome, actions, timeFrom, timeTo } = parseStruct(filterSchema, given, 'The filter')
  return {
    actor: actor || undefined,
    actions,
    target: target || undefined,
    outcome: outcome || undefined,
    from: timeFrom,
    to: timeTo,
  }
}

const entryStruct = ({ id, at, actor, via, action, target, outcome, address }: AuditEntry) =>
  build(types.AuditEntry, {
    ...{ id, at, via, action, target, outcome, address },
    actor: actor && build(types.AuditActor, { account: actor.account, name: actor.name }),
  })

/** By name. */
export const createAuditMethods = ({
  service,
}: {
  service: Pick<Service, 'audit'>
}): ReadonlyMap<string, RpcMethod> =>
  new Map<string, RpcMethod>([
    [
      'pageAudit',
      methodFor(
        3,
        async (actor, [filter, limit, cursor]) => {
          const { entries, next } = await service.audit(actor, toFilter(filter), toPage(limit, cursor))
          return build(types.AuditPage, { entries: entries.map(entryStruct), nextCursor: next })
        },
        'refused',
        'unavailable',
      ),
    ],
  ])
