// Thrift over HTTP: the body of a request is one call, the body of the answer its reply. It knows no routes.
import type { Origin } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { createCaller } from './caller.ts'
import { exceptionReply } from './exception.ts'
import { createHandler, type HandlerDeps } from './handler.ts'
import { RPC_LIMITS } from './limits.ts'
import { createReceiver, type Receiver, type RpcMessage } from './receiver.ts'
import { createHttpCall } from './who-calls.ts'

/**
 * Turns the body of a request into the body of its reply. The signal fires when the client no longer waits.
 * Whoever calls this has found out who asks.
 * @throws BAD_REQUEST, BODY_TOO_LARGE for bytes that are so little of a call that no reply can be made to it
 */
export type HttpRpc = (body: Buffer, signal: AbortSignal, actor: Actor, origin: Origin) => Promise<Buffer>

const onlyMessage = (receiver: Receiver, body: Buffer): RpcMessage => {
  const messages = [...receiver.push(body)]
  const [message] = messages
  if (message && messages.length === 1 && !receiver.partial()) return message
  throw new MadhavaError('BAD_REQUEST', 'The body must be one call of Thrift, whole and nothing else')
}

export const createHttpRpc = (deps: Omit<HandlerDeps, 'limits'>): HttpRpc => {
  const handler = createHandler({ ...deps, limits: RPC_LIMITS })
  const call = createCaller({ ...handler, log: deps.log, callMs: RPC_LIMITS.callMs })
  return async (body, signal, actor, origin) => {
    const receiver = createReceiver(RPC_LIMITS)
    let message: RpcMessage
    try {
      message = onlyMessage(receiver, body)
    } catch (error) {
      const begun = receiver.begun()
      if (begun && isMadhavaError(error)) return exceptionReply(begun, 'protocol', error)
      throw error
    }
    return call(message, signal, createHttpCall({ ...actor, via: 'rpc' }, { ...origin, via: 'rpc' }))
  }
}
