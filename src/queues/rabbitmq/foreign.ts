// Messages that announce no task: why one is none, how it is wrapped to be kept aside, and how it comes out again.
// No I/O. Everything in such a message is hostile.
import type { GetMessage, Message, Options } from 'amqplib'
import { v5, validate } from 'uuid'
import type { DeadMessage } from '../../core/dead-messages.ts'

/** Of ours, which are some hundred bytes long. */
const MAX_BYTES = 4_096
const PREVIEW_BYTES = 256
const MAX_HEADER_BYTES = 16_384

/** One for all: to make it takes longer than to use it. */
const decoder = new TextDecoder('utf-8', { fatal: true })

const isWord = (value: unknown, max: number): boolean =>
  typeof value === 'string' && value.length > 0 && value.length <= max

/** Why these bytes announce no task, in words; null when they do. */
export const whyForeign = (content: Buffer): string | null => {
  if (content.length > MAX_BYTES)
    return `It has ${content.length} bytes; an announcement has at most ${MAX_BYTES}`
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(content))
  } catch {
    return 'It is not JSON'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'It is not a JSON object'
  const { id, kind } = value as Record<string, unknown>
  if (!isWord(id, 64) || !isWord(kind, 63))
    return 'It does not name a task: `id` and `kind` are missing or no texts'
  return null
}

/** Headers by which a broker would send copies elsewhere, or which it writes itself. */
const STEERING = /^(cc|bcc|x-death|x-delivery-count|x-acquired-count|x-(first|last)-death-.*)$/i

/** The message's own headers as they can be sent on; none when they are too large to be. */
const ownHeaders = (message: Message): Record<string, unknown> => {
  const own = Object.fromEntries(
    Object.entries(message.properties.headers ?? {}).filter(([name]) => !STEERING.test(name)),
  )
  try {
    return JSON.stringify(own).length > MAX_HEADER_BYTES ? {} : own
  } catch {
    return {}
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/**
 * The properties that a foreign message keeps. Left out: what would let it expire, be refused (`userId`), be sent
 * elsewhere, or be pushed forward.
 */
const kept = ({ properties }: Message): Options.Publish => ({
  persistent: true,
  mandatory: true,
  ...Object.fromEntries(
    ['contentType', 'contentEncoding', 'correlationId', 'replyTo', 'type', 'appId'].flatMap(name => {
      const value = text((properties as unknown as Record<string, unknown>)[name])
      return value === undefined ? [] : [[name, value]]
    }),
  ),
})

/** Properties under which it is kept aside. */
export const wrap = (message: Message, id: string, reason: string, deadAt: string): Options.Publish => {
  const messageId = text(message.properties.messageId)
  return {
    ...kept(message),
    messageId: id,
    headers: {
      'madhava-dead': { reason, deadAt, ...(messageId === undefined ? {} : { messageId }) },
      'madhava-headers': ownHeaders(message),
    },
  }
}

const table = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/** Properties with which it goes back into the queue: those that it came with. */
export const unwrap = (message: Message): Options.Publish => {
  const headers = message.properties.headers ?? {}
  const messageId = text(table(headers['madhava-dead']).messageId)
  return {
    ...kept(message),
    ...(messageId === undefined ? {} : { messageId }),
    headers: table(headers['madhava-headers']),
  }
}

/** A message that another program put among the dead ones has an id made of its bytes. */
const NAMESPACE = '5e0f7d0a-6c1b-4b3e-9d57-1f0b8c3a2e41'

/** The id under which it was kept aside. */
export const idOf = ({ properties, content }: Message): string => {
  const id = text(properties.messageId) ?? ''
  return validate(id) ? id.toLowerCase() : v5(content, NAMESPACE)
}

/** As lists show it. Whoever put it there may not have been us. */
export const view = (message: GetMessage): DeadMessage => {
  const { content, properties } = message
  const { reason, deadAt } = table(properties.headers?.['madhava-dead'])
  return {
    id: idOf(message),
    reason: text(reason) ?? 'It was put among the dead messages by somebody else',
    deadAt: text(deadAt) ?? new Date(0).toISOString(),
    bytes: content.length,
    contentType: text(properties.contentType) ?? null,
    preview: content.subarray(0, PREVIEW_BYTES).toString('utf8'),
  }
}
