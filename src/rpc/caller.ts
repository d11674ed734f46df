// One call in, one reply out, whether the method answers, throws, never ends, or returns nonsense.
// Works between the receiver, which has checked the bytes, and the generated processor. No sockets, no tasks.
import thrift from 'thrift'
import { ERRORS, isMadhavaError, MadhavaError, toMadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import { createDeadlines } from './deadlines.ts'
import { createInput, createOutput } from './dialect.ts'
import { exceptionReply } from './exception.ts'
import type { RpcMessage } from './receiver.ts'
import type { RpcCall } from './who-calls.ts'

/** A method. */
export interface RpcMethod {
  /**
   * The number of arguments in the IDL, at most 4: generated code takes the style of a call from a function's length.
   */
  arity: number
  /** Arguments that the client left out are null. The signal fires when the client no longer waits. */
  run: (args: readonly unknown[], signal: AbortSignal, call: RpcCall) => Promise<unknown>
  /** The exception that the IDL declares for an error of this method, or null where it declares none. */
  declared: (error: unknown) => Error | null
  /** For a result that takes more than one turn of the loop to write: its type in Thrift, and how it is written. */
  longResult?: {
    type: thrift.Thrift.Type
    write: (output: thrift.TProtocol, result: unknown) => Promise<void>
  }
}

interface Processor {
  process(input: thrift.TProtocol, output: thrift.TProtocol): void
}
/** The generated class `Processor` of a service. */
export type ProcessorClass = new (handler: object) => Processor

export interface CallerDeps {
  processor: ProcessorClass
  methods: ReadonlyMap<string, RpcMethod>
  log: Log
  /** A call without an answer by then is answered with STORE_UNAVAILABLE, milliseconds. */
  callMs: number
}

/**
 * Answers one call with the bytes of the reply. Never rejects. The signal fires when the client has gone or the server
 * closes, and a method that waits then answers at once.
 */
export type Caller = (message: RpcMessage, signal: AbortSignal, call: RpcCall) => Promise<Buffer>

type Body = (args: readonly unknown[]) => Promise<unknown>

/** A function of exactly so many parameters. */
const ofArity = (arity: number, body: Body): ((...args: unknown[]) => Promise<unknown>) => {
  if (arity === 0) return () => body([])
  if (arity === 1) return (a: unknown) => body([a])
  if (arity === 2) return (a: unknown, b: unknown) => body([a, b])
  if (arity === 3) return (a: unknown, b: unknown, c: unknown) => body([a, b, c])
  if (arity === 4) return (a: unknown, b: unknown, c: unknown, d: unknown) => body([a, b, c, d])
  throw new Error(`A method of ${arity} arguments: make room for them here`)
}

/** A whole reply with a long result, as generated code writes it. */
const writeLong = async (
  output: thrift.TProtocol,
  { name, seqid }: RpcMessage,
  { type, write }: NonNullable<RpcMethod['longResult']>,
  result: unknown,
): Promise<void> => {
  output.writeMessageBegin(name, thrift.Thrift.MessageType.REPLY, seqid)
  output.writeStructBegin(`${name}_result`)
  output.writeFieldBegin('success', type, 0)
  await write(output, result)
  output.writeFieldEnd()
  output.writeFieldStop()
  output.writeStructEnd()
  output.writeMessageEnd()
  output.flush()
}

export const createCaller = ({ processor: Processor, methods, log, callMs }: CallerDeps): Caller => {
  const deadlines = createDeadlines(callMs)
  const inputs = { binary: createInput('binary'), compact: createInput('compact') } as const
  /** The method that generated code calls next: it does so before `process` returns, or never. */
  let body: Body = async () => undefined
  const processors = new Map(
    [...methods].map(([name, { arity }]) => [
      name,
      new Processor({ [name]: ofArity(arity, args => body(args)) }),
    ]),
  )

  const note = (method: string, error: MadhavaError): void => {
    // a client's mistake is for the client to log
    if (ERRORS[error.code].status >= 500) log.error({ error, method }, 'a call failed')
  }

  const run = (
    message: RpcMessage,
    method: RpcMethod,
    signal: AbortSignal,
    call: RpcCall,
    settle: (reply: Buffer) => void,
  ): void => {
    const { name, dialect } = message
    const fail = (error: unknown): void => {
      const ours = toMadhavaError(error)
      note(name, ours)
      settle(exceptionReply(message, 'internal', ours))
    }

    const bodyOfThis: Body = args =>
      new Promise((resolve, reject) => {
        const failed = (error: unknown): void => {
          done()
          const declared = method.declared(error)
          if (declared) {
            if (isMadhavaError(error)) note(name, error)
            reject(declared)
            return
          }
          fail(error)
          // generated code writes this text into a reply that nobody reads any more
          reject(new Error('answered already'))
        }
        const done = deadlines.begin(() =>
          failed(new MadhavaError('STORE_UNAVAILABLE', 'There was no answer in time; try again')),
        )
        const answered = (value: unknown): void => {
          done()
          // generated code then never gets the result, and is dropped with its promise
          if (method.longResult) writeLong(output, message, method.longResult, value).catch(fail)
          else resolve(value)
        }
        try {
          method.run(args, signal, call).then(answered, failed)
        } catch (error) {
          failed(error)
        }
      })

    const output = createOutput(dialect, (bytes, whole) => {
      // generated code that fails to write a result begins an exception behind half of it
      if (whole) settle(bytes)
      else fail(new Error('the result of a method cannot be written'))
    })
    try {
      const input = inputs[dialect.protocol]
      input.begin(message.bytes)
      body = bodyOfThis
      processors.get(name)?.process(input.protocol, output)
    } catch (error) {
      fail(error)
    }
  }
  return (message, signal, call) =>
    new Promise(resolve => {
      const method = methods.get(message.name)
      if (method) {
        run(message, method, signal, call, resolve)
        return
      }
      const error = new MadhavaError('NOT_FOUND', `There is no method ${JSON.stringify(message.name)}`)
      resolve(exceptionReply(message, 'unknownMethod', error))
    })
}
