// One call in, one reply out, whatever the method does: answers, throws, never ends, or returns nonsense.
// Works between the scanner, which has checked the bytes, and the generated processor. No sockets, no tasks.
import thrift from 'thrift'
import { ERRORS, MadhavaError, toMadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import { exceptionReply } from './exception.ts'
import type { RpcMessage } from './scanner.ts'

/**
 * A method. Arguments that the client left out are null. `declares` says whether an error is one of the exceptions
 * that the IDL declares for it; those reach the client as they are.
 */
export interface RpcMethod {
  /** The number of arguments in the IDL: generated code takes the style of a call from a function's length. */
  arity: number
  run: (...args: unknown[]) => Promise<unknown>
  declares: (error: unknown) => boolean
}

/** The generated class `Processor` of a service. */
export type ProcessorClass = new (
  handler: object,
) => { process(input: thrift.TProtocol, output: thrift.TProtocol): void }

export interface CallerDeps {
  processor: ProcessorClass
  methods: ReadonlyMap<string, RpcMethod>
  log: Log
  /** A call without an answer by then is answered with STORE_UNAVAILABLE, milliseconds. */
  callMs: number
}

/** Answers one call with the bytes of the reply. Never rejects. */
export type Caller = (message: RpcMessage) => Promise<Buffer>

const INPUT_SEQID = 0

export const createCaller = ({ processor: Processor, methods, log, callMs }: CallerDeps): Caller => {
  const refuse = (message: RpcMessage, error: unknown): Buffer => {
    const ours = toMadhavaError(error)
    // a client's mistake is the client's to log
    if (ERRORS[ours.code].status >= 500) log.error({ error, method: message.name }, 'a call failed')
    return exceptionReply(message, 'internal', ours)
  }

  const run = (message: RpcMessage, method: RpcMethod, settle: (reply: Buffer) => void): void => {
    const fail = (error: unknown): void => settle(refuse(message, error))

    const transport = new thrift.TBufferedTransport(undefined, bytes => {
      if (bytes) settle(bytes)
    })
    const output = new thrift.TBinaryProtocol(transport, true, true)
    const begin = output.writeMessageBegin.bind(output)
    let begun = false
    output.writeMessageBegin = (name, type, seqid) => {
      // generated code that fails to write a result begins an exception behind the half of it
      if (begun) fail(new Error('the result of a method cannot be written'))
      else begin(name, type, seqid)
      begun = true
    }

    const body = async (...args: unknown[]): Promise<unknown> => {
      try {
        return await method.run(...args)
      } catch (error) {
        if (method.declares(error)) throw error
        fail(error)
        // generated code sends this text into a reply that nobody looks at any more
        throw new Error('answered already')
      }
    }
    Object.defineProperty(body, 'length', { value: method.arity })

    const handOver = thrift.TBufferedTransport.receiver(input => {
      new Processor({ [message.name]: body }).process(new thrift.TBinaryProtocol(input, true, true), output)
    }, INPUT_SEQID)
    try {
      handOver(message.bytes)
    } catch (error) {
      fail(error)
    }
  }

  return message =>
    new Promise(resolve => {
      const method = methods.get(message.name)
      if (!method) {
        const error = new MadhavaError('NOT_FOUND', `There is no method ${JSON.stringify(message.name)}`)
        resolve(exceptionReply(message, 'unknownMethod', error))
        return
      }
      const timer = setTimeout(() => {
        settle(
          refuse(message, new MadhavaError('STORE_UNAVAILABLE', 'There was no answer in time; try again')),
        )
      }, callMs).unref()
      let settled = false
      const settle = (reply: Buffer): void => {
        if (settled) return
        settled = true
        clearTimeout(timer)
        resolve(reply)
      }
      run(message, method, settle)
    })
}
