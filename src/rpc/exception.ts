// Our errors as Thrift's TApplicationException, whole messages. The one place that decides what of an undeclared error
// a Thrift client sees: code and public message, never a stack, a path or a cause.
import thrift from 'thrift'
import { cutText } from '../core/cut-text.ts'
import type { MadhavaError } from '../core/errors.ts'
import { createOutput, type Dialect } from './dialect.ts'
import type { MessageHeader } from './grammar.ts'

const TYPES = { unknownMethod: 1, internal: 6, protocol: 7 } as const
export type ExceptionType = keyof typeof TYPES

/** Longest message sent; a message may quote what the client sent. */
const TEXT_LENGTH = 1000

/** A text for a client, cut where it is too long. */
export const shortText = (text: string): string => cutText(text, TEXT_LENGTH)

/** The bytes of an exception message in answer to a call. */
export const exceptionReply = (
  call: MessageHeader & { dialect: Dialect },
  type: ExceptionType,
  error: MadhavaError,
): Buffer => {
  let reply: Buffer = Buffer.alloc(0)
  const output = createOutput(call.dialect, bytes => {
    reply = bytes
  })
  const exception = new thrift.Thrift.TApplicationException(
    TYPES[type],
    shortText(`${error.code}: ${error.message}`),
  )
  // the library's constructor sets `type`, and its write sends `code`
  exception.code = TYPES[type]
  output.writeMessageBegin(call.name, thrift.Thrift.MessageType.EXCEPTION, call.seqid)
  exception.write(output)
  output.writeMessageEnd()
  output.flush()
  return reply
}
