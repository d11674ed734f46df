// Our errors as Thrift's TApplicationException, whole messages. The one place that decides what of an error a
// client of this door sees: code and public message, never a stack, a path or a cause.
import thrift from 'thrift'
import type { MadhavaError } from '../core/errors.ts'
import type { MessageHeader } from './scanner.ts'

const TYPES = { unknownMethod: 1, internal: 6, protocol: 7 } as const
export type ExceptionType = keyof typeof TYPES

/** Longest message sent; a message may quote what the client sent. */
const TEXT_LENGTH = 1000

/** `CODE: message`, cut. */
export const publicText = (error: MadhavaError): string =>
  `${error.code}: ${error.message}`.slice(0, TEXT_LENGTH)

/** The bytes of an exception message in answer to a call. */
export const exceptionReply = (call: MessageHeader, type: ExceptionType, error: MadhavaError): Buffer => {
  let reply: Buffer = Buffer.alloc(0)
  const transport = new thrift.TBufferedTransport(undefined, bytes => {
    if (bytes) reply = bytes
  })
  const output = new thrift.TBinaryProtocol(transport, true, true)
  const exception = new thrift.Thrift.TApplicationException(TYPES[type], publicText(error))
  // the library's constructor sets `type`, and its write sends `code`
  exception.code = TYPES[type]
  output.writeMessageBegin(call.name, thrift.Thrift.MessageType.EXCEPTION, call.seqid)
  exception.write(output)
  output.writeMessageEnd()
  output.flush()
  return reply
}
