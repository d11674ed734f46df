// POST /RPC2 and GET /logtail/{name}/{stdout|stderr}: what supervisorctl and other clients of supervisord speak.
import type { IncomingMessage } from 'node:http'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { AuditRecorder } from '../../core/audit-recorder.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { type DashboardEnv, requireToken, whoOf } from '../access/caller.ts'
import { demandRight } from '../access/rights.ts'
import { followLog } from '../logs/follow.ts'
import { showLine } from '../logs/lines.ts'
import type { ProcessOrders } from '../processes/orders.ts'
import type { LogStream, Processes } from '../processes/processes.ts'
import { Fault, readCall, writeAnswer, writeFault } from './message.ts'
import { createMethods } from './methods.ts'
import { XmlError } from './xml.ts'

export interface XmlRpcOptions {
  processes: Processes
  orders: ProcessOrders
  audit: Pick<AuditRecorder, 'run' | 'noteRefusal'>
  version: string
  log: Log
}

const CHANNELS: Readonly<Record<string, LogStream>> = { stdout: 'out', stderr: 'err' }
/** What a follower is shown of what was written before, bytes, as supervisord has it. */
const BACK_BYTES = 1024
/** Each holds a connection for as long as somebody looks. */
const FOLLOWERS_MAX = 32

/** Only programs are asked for a password in HTTP's own way: a browser would keep what it is given. */
const requirePassword: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  if (c.get('who')) return next()
  const isBrowser =
    c.req.header('sec-fetch-mode') !== undefined || /^Mozilla/.test(c.req.header('user-agent') ?? '')
  if (isBrowser) throw new MadhavaError('UNAUTHORIZED')
  return c.text('A login is needed\n', 401, { 'WWW-Authenticate': 'Basic realm="Madhava", charset="UTF-8"' })
}

/** The connection may be silent for as long as the log is; a peer that is gone is found by TCP itself. */
const keepOpen = (c: Context): void => {
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming
  incoming?.socket.setTimeout(0)
  incoming?.socket.setKeepAlive(true, 30_000)
}

export const createXmlRpc = ({
  processes,
  orders,
  audit,
  version,
  log,
}: XmlRpcOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  const methods = createMethods({
    processes,
    orders,
    version,
    audit,
    // PM2 is in the process that started this one
    pid: () => process.ppid,
    onDeed: (who, deed, method, name) =>
      log.info({ who: who.name, deed, method, process: name }, 'an action'),
  })
  let followers = 0

  app.post('/RPC2', requirePassword, requireToken, async c => {
    const send = (text: string): Response =>
      c.body(text, 200, { 'Content-Type': 'text/xml', 'Content-Length': String(Buffer.byteLength(text)) })
    try {
      const { method, params } = readCall(await c.req.text())
      return send(writeAnswer(await methods.call(method, params, whoOf(c))))
    } catch (error) {
      if (error instanceof Fault) return send(writeFault(error))
      if (error instanceof XmlError) throw new MadhavaError('BAD_REQUEST', `No XML-RPC: ${error.message}`)
      throw error
    }
  })

  app.get('/logtail/:name/:channel?', requirePassword, async c => {
    demandRight(whoOf(c), 'look')
    const { name, channel = 'stdout' } = c.req.param()
    const stream = Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel] : undefined
    const [group = ''] = name.split(':')
    const file = stream ? await processes.logFile(group, stream, null) : null
    if (file === null) throw new MadhavaError('NOT_FOUND')
    if (followers >= FOLLOWERS_MAX) throw new MadhavaError('TOO_MANY_STREAMS')
    followers += 1
    keepOpen(c)
    const [ended, login] = [new AbortController(), c.get('watch')()]
    const lines = followLog(file, { backBytes: BACK_BYTES, signal: ended.signal })
    const stop = (): void => {
      if (ended.signal.aborted) return
      followers -= 1
      login.close()
      ended.abort()
    }
    login.signal.addEventListener('abort', stop)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const step = await lines.next().catch(() => null)
        if (!step || step.done) {
          stop()
          controller.close()
        } else controller.enqueue(Buffer.from(step.value.lines.map(line => `${showLine(line)}\n`).join('')))
      },
      cancel: stop,
    })
    c.req.raw.signal.addEventListener('abort', stop)
    if (login.signal.aborted) stop()
    c.header('X-Accel-Buffering', 'no')
    return c.body(body, 200, { 'Content-Type': 'text/plain;charset=utf-8' })
  })
  return app
}
