// GET /kinds: what can be asked for, with JSON Schema of params and result.
import { Hono } from 'hono'
import { z } from 'zod'
import type { Actor } from '../core/actor.ts'
import { kindInfoSchema } from '../core/kind-info.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJsonText } from './json.ts'
import { output } from './named-schemas.ts'
import { describe, type Operation } from './operation.ts'
import { kindTrouble } from './schemas.ts'

const kindList = output(
  'KindList',
  z.object({
    kinds: z.array(kindInfoSchema),
    trouble: z
      .array(
        kindTrouble.extend({
          roles: z.array(z.string()).describe('whose processes could not use it, as far as known'),
        }),
      )
      .describe('kinds whose files cannot be used: a submit to one is 503 KIND_IN_TROUBLE, the others run'),
  }),
)

const getKinds: Operation = {
  id: 'getKinds',
  need: 'read',
  tag: 'server',
  summary: 'The kinds of tasks, with JSON Schema of params and result; and those whose files cannot be used',
  answers: { 200: { description: 'The kinds.', content: { [JSON_TYPE]: kindList } } },
}

export const kindsRoutes = ({ service }: ApiDeps): Hono<ApiEnv> => {
  // a process knows the same kinds for all its life, and schemas are slow to make
  let all: string | null = null
  const textFor = (actor: Actor): string => {
    if (actor.kinds !== null) return JSON.stringify(service.kinds(actor))
    all ??= JSON.stringify(service.kinds(actor))
    return all
  }
  return new Hono<ApiEnv>().get('/kinds', describe(getKinds), async c => {
    const actor = c.get('actor')
    const troubles = JSON.stringify(await service.kindTroubles(actor))
    return sendJsonText(c, `{"kinds":${textFor(actor)},"trouble":${troubles}}`)
  })
}
