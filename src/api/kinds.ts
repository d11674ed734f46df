// GET /kinds: what can be asked for, with JSON Schema of params and result.
import { Hono } from 'hono'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendJsonText } from './json.ts'
import { describe } from './operation.ts'
import { getKinds } from './server-operations.ts'

export const kindsRoutes = ({ service }: ApiDeps): Hono<ApiEnv> => {
  // a process knows the same kinds for all its life, and schemas are slow to make
  let text: string | null = null
  return new Hono<ApiEnv>().get('/kinds', describe(getKinds), async c => {
    const actor = c.get('actor')
    text ??= JSON.stringify(service.kinds(actor))
    return sendJsonText(c, `{"kinds":${text},"trouble":${JSON.stringify(await service.kindTroubles(actor))}}`)
  })
}
