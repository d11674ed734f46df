// POST /rpc: Thrift over HTTP. src/rpc reads the body.
import { Hono } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import { type ApiDeps, type ApiEnv, clientKeyIn, originOf } from './context.ts'
import { readBody } from './json.ts'
import { describe, type Operation } from './operation.ts'
import type { Streams } from './streams.ts'

const TYPE = 'application/x-thrift'
/** What clients call it; the first bytes say which protocol it is. */
const TYPES: readonly string[] = [
  TYPE,
  'application/vnd.apache.thrift.binary',
  'application/vnd.apache.thrift.compact',
]

const operation: Operation = {
  id: 'callRpc',
  need: 'anyone',
  tag: 'server',
  summary: 'A call of Thrift over HTTP, binary or compact protocol',
  description: 'The service is that of the Thrift port; docs/rpc.md and /docs/rpc describe it.',
  body: { content: { [TYPE]: null } },
  errors: ['TOO_MANY_STREAMS', 'OVERLOADED', 'SHUTTING_DOWN'],
  answers: { 200: { description: 'The reply, which may hold an exception.', content: { [TYPE]: null } } },
}

/**
 * A page of another site cannot send such a type without asking first, which is refused. @throws UNSUPPORTED_MEDIA_TYPE
 */
const requireThrift = (contentType: string | undefined, encoding: string | undefined): void => {
  const [type = ''] = (contentType ?? '').split(';')
  if (TYPES.includes(type.trim().toLowerCase()) && encoding === undefined) return
  throw new MadhavaError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Send the call as Content-Type: ${TYPE}, without a Content-Encoding`,
  )
}

/** A call may wait for a change, so each counts as an open answer, of which one client may have a share. */
export const rpcRoutes =
  (calls: Streams) =>
  ({ rpc }: ApiDeps): Hono<ApiEnv> =>
    new Hono<ApiEnv>().post('/rpc', describe(operation), async c => {
      requireThrift(c.req.header('content-type'), c.req.header('content-encoding'))
      const body = Buffer.from(await readBody(c))
      // a wait watches the login itself, so that its end is told in Thrift
      const call = calls.open(c.req.raw.signal, clientKeyIn(c))
      try {
        const reply = await rpc(body, call.signal, c.get('actor'), originOf(c))
        const headers = { 'Content-Type': TYPE, 'Content-Length': String(reply.length) }
        return c.body(new Uint8Array(reply), 200, headers)
      } finally {
        call.close()
      }
    })
