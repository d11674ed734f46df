// GET /kinds: what can be asked for, with JSON Schema of params and result. POST /kinds/reload reads the files again.
import { Hono } from 'hono'
import { z } from 'zod'
import type { Actor } from '../core/actor.ts'
import { type KindInfo, kindInfoSchema } from '../core/kind-info.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJson, sendJsonText } from './json.ts'
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

const names = z.array(z.string()).describe('names of kinds')

const kindsReloaded = output(
  'KindsReloaded',
  z.object({
    id: z.string().describe('of the reload'),
    added: names,
    changed: names,
    removed: names,
    unchanged: z.int().describe('how many kinds are as they were'),
    processes: z.array(
      z.object({
        role: z.string(),
        instance: z.string(),
        host: z.string(),
        pid: z.int(),
        isUsed: z.boolean().describe('false: the process had not said so yet'),
      }),
    ),
  }),
)

const reloadKinds: Operation = {
  id: 'reloadKinds',
  need: 'operate',
  audit: 'kinds.reload',
  tag: 'server',
  summary: 'Read the folders of kinds again, in all processes',
  description:
    'All processes read, and use what they have read when each could read all of it; else none does, and `problems` ' +
    'names the files and the reasons. Attempts that run go on with the code that they began with. For who sees all ' +
    'tasks.',
  answers: { 200: { description: 'All use them.', content: { [JSON_TYPE]: kindsReloaded } } },
  errors: ['FORBIDDEN', 'KINDS_RELOADING', 'KINDS_NOT_LOADED'],
}

export const kindsRoutes = ({ service }: ApiDeps): Hono<ApiEnv> => {
  // schemas are long, and the kinds stay the same until they are read again
  let all: { infos: KindInfo[]; text: string } = { infos: [], text: '[]' }
  const textFor = (actor: Actor): string => {
    const infos = service.kinds(actor)
    if (actor.kinds !== null) return JSON.stringify(infos)
    const isSame = infos.length === all.infos.length && infos.every((info, at) => info === all.infos[at])
    if (!isSame) all = { infos, text: JSON.stringify(infos) }
    return all.text
  }
  return new Hono<ApiEnv>()
    .get('/kinds', describe(getKinds), async c => {
      const actor = c.get('actor')
      const troubles = JSON.stringify(await service.kindTroubles(actor))
      return sendJsonText(c, `{"kinds":${textFor(actor)},"trouble":${troubles}}`)
    })
    .post('/kinds/reload', describe(reloadKinds), async c =>
      sendJson(c, await service.reloadKinds(c.get('actor')), 200),
    )
}
