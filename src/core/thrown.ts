// Reads a thrown value with its causes into plain data. Nothing here throws, though getters, proxies and `toString`
// of a thrown value can: they are foreign code too.
import { inspect } from 'node:util'
import { cutText } from './cut-text.ts'

export interface Thrown {
  /** Names that programs know it by: its name, the name of its class, its code. */
  names: string[]
  /** Its own message, without those of its causes; '' if it has none. */
  message: string
  stack: string | null
  /** Why: `cause`, the errors of an AggregateError, both of a SuppressedError. */
  causes: Thrown[]
}

/** How much is read: causes in a row, causes in all, characters of each text. */
const DEPTH = 8
const COUNT = 24
const MESSAGE = 2_000
const NAME = 100
const STACK = 10_000

const attempt = <T>(read: () => T, otherwise: T): T => {
  try {
    return read()
  } catch {
    return otherwise
  }
}
const field = (value: object, name: string): unknown =>
  attempt(() => (value as Record<string, unknown>)[name], undefined)

/** Shows a value without running its own code. */
const show = (value: unknown): string =>
  attempt(
    () =>
      inspect(value, {
        depth: 2,
        breakLength: Number.POSITIVE_INFINITY,
        compact: true,
        customInspect: false,
        maxStringLength: 500,
        maxArrayLength: 20,
      }),
    'something unreadable',
  )

const isDomException = (value: object): boolean =>
  attempt(() => Object.prototype.toString.call(value), '') === '[object DOMException]'

/** Classes with names that say nothing. */
const PLAIN = ['Object', 'Array', 'Function']

const namesOf = (value: object): string[] => {
  const { name, code } = { name: field(value, 'name'), code: field(value, 'code') }
  const maker = field(value, 'constructor')
  const className = typeof maker === 'function' ? field(maker, 'name') : ''
  const words = [name]
  // many error classes do not set a name and inherit that of Error
  if (name === 'Error' || typeof name !== 'string')
    words.push(PLAIN.includes(String(className)) ? '' : className)
  // a DOMException's codes are legacy numbers
  if (
    typeof code === 'string' ||
    (typeof code === 'number' && Number.isFinite(code) && !isDomException(value))
  )
    words.push(String(code))
  const texts = words.filter((word): word is string => typeof word === 'string' && word !== '')
  return [...new Set(texts.map(word => cutText(word, NAME)))]
}

const messageOf = (value: object, stack: string | null): string => {
  const message = field(value, 'message')
  if (typeof message === 'string' && (message !== '' || stack !== null)) return message
  if (message !== undefined && message !== null && typeof message !== 'string') return show(message)
  if (stack !== null) return ''
  const text = attempt(() => String(value), '')
  // a value without a message is shown with its fields
  return text === '' || text.startsWith('[object ') || Array.isArray(value) || typeof value === 'function'
    ? show(value)
    : text
}

const causesOf = (value: object): unknown[] => {
  const errors = field(value, 'errors')
  const many = attempt(() => (Array.isArray(errors) ? errors.slice(0, COUNT) : []), [])
  const suppressed = field(value, 'suppressed')
  const both = suppressed === undefined ? [] : [field(value, 'error'), suppressed]
  return [field(value, 'cause'), ...many, ...both].filter(
    cause => cause !== undefined && cause !== null && cause !== '' && typeof cause !== 'function',
  )
}

/** Reads a thrown value. If its causes are circular, many or deep, only the first are read. */
export const readThrown = (thrown: unknown): Thrown => {
  const seen = new Set<unknown>()
  let left = COUNT
  const read = (value: unknown, depth: number): Thrown => {
    left -= 1
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
      const message = typeof value === 'string' ? value : attempt(() => String(value), show(value))
      return { names: [], message: cutText(message, MESSAGE), stack: null, causes: [] }
    }
    seen.add(value)
    const found = field(value, 'stack')
    const stack = typeof found === 'string' ? cutText(found, STACK) : null
    const causes: Thrown[] = []
    if (depth < DEPTH)
      for (const cause of causesOf(value)) {
        if (left <= 0) break
        if (!seen.has(cause)) causes.push(read(cause, depth + 1))
      }
    return { names: namesOf(value), message: cutText(messageOf(value, stack), MESSAGE), stack, causes }
  }
  return attempt(() => read(thrown, 0), {
    names: [],
    message: 'something unreadable',
    stack: null,
    causes: [],
  })
}

/** All of its causes, depth first. */
export const allCauses = ({ causes }: Thrown): Thrown[] =>
  causes.flatMap(cause => [cause, ...allCauses(cause)])

/** The messages of an error and its causes as one text: `fetch failed: connect ECONNREFUSED 127.0.0.1:1`. */
export const fullMessage = (thrown: Thrown, length = MESSAGE): string => {
  let text = ''
  const add = ({ message, causes }: Thrown, between: string): void => {
    // many errors repeat the message of their cause
    if (message !== '' && !text.includes(message)) text += `${text === '' ? '' : between}${message}`
    for (const [place, cause] of causes.entries())
      if (text.length < length) add(cause, place === 0 ? ': ' : '; ')
  }
  add(thrown, '')
  return cutText(text || thrown.names[0] || 'an error without words', length)
}

/** As `fullMessage`, for any thrown value. */
export const reasonOf = (thrown: unknown, length = MESSAGE): string => fullMessage(readThrown(thrown), length)
