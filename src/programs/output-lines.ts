// Splits the output of a program into lines: those that may be calls are kept whole, up to a bound; all others are
// passed on as texts, in pieces if they are long, so that no output fills the memory. Pure.
import { createOutputTail } from '../platform/output-tail.ts'

/** A line that begins like this is a call, or was meant to be one. */
const CALL = /^\s*\{\s*"(progress|log|checkpoint|submit|artifact|result|error)"\s*:/
/** Where a line's beginning is over: no call needs more to be known as one. */
const HEAD_BYTES = 256
const NEWLINE = 0x0a
const BRACE = 0x7b

export interface OutputLines {
  /** What comes of it is handed on before the next bytes are taken. */
  add(bytes: Buffer): Generator<OutputLine>
  /** A last line without its end. */
  end(): Generator<OutputLine>
}

export type OutputLine =
  /** Begins like a call; `name` is the word of its first field. */
  | { type: 'call'; name: string; bytes: Buffer }
  /** One that is longer than the bound. The rest of it is passed over. */
  | { type: 'too long'; name: string; bytes: number }
  | { type: 'text'; text: string }

const nameIn = (head: Buffer): string | null => CALL.exec(head.toString('latin1'))?.[1] ?? null
const isWhite = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0d

/** Whether a line that begins like this may still be a call. */
const mayBeCall = (head: Buffer): boolean => {
  let at = 0
  while (at < head.length && isWhite(head[at] ?? 0)) at += 1
  return at === head.length || head[at] === BRACE
}

/** `maxBytes`: of a call. */
export const createOutputLines = (maxBytes: number): OutputLines => {
  let texts: string[] = []
  const tail = createOutputTail(1, text => texts.push(text))
  function* asText(bytes: Buffer): Generator<OutputLine> {
    tail.add(bytes)
    const said = texts
    texts = []
    for (const text of said) yield { type: 'text', text }
  }

  /** Of the open line: a text is passed on as it comes, what may be a call is kept, what is too long is passed over. */
  let state: 'kept' | 'text' | 'passed over' = 'kept'
  let kept: Buffer[] = []
  let size = 0
  /** Its first bytes, and the name of the call that they begin. */
  let head = Buffer.alloc(0)
  let name: string | null = null

  const take = (): Buffer => {
    const bytes = Buffer.concat(kept)
    kept = []
    size = 0
    head = Buffer.alloc(0)
    name = null
    return bytes
  }
  const keep = (bytes: Buffer): void => {
    kept.push(bytes)
    size += bytes.length
    if (name !== null || head.length >= HEAD_BYTES) return
    head = Buffer.concat([head, bytes.subarray(0, HEAD_BYTES - head.length)])
    name = nameIn(head)
  }

  /** A part of a line; `isLast`: its newline is in it, or no more will come. */
  function* part(bytes: Buffer, isLast: boolean): Generator<OutputLine> {
    if (state === 'text') yield* asText(bytes)
    else if (state === 'kept') {
      keep(bytes)
      if (name !== null && size > maxBytes) {
        yield { type: 'too long', name, bytes: size }
        take()
        state = 'passed over'
      } else if (isLast && name !== null) yield { type: 'call', name, bytes: take() }
      else if (isLast) yield* asText(take())
      else if (name === null && (head.length >= HEAD_BYTES || !mayBeCall(head))) {
        state = 'text'
        yield* asText(take())
      }
    }
    if (isLast) state = 'kept'
  }

  return {
    *add(bytes) {
      for (let at = 0; at < bytes.length; ) {
        const end = bytes.indexOf(NEWLINE, at)
        const next = end < 0 ? bytes.length : end + 1
        yield* part(bytes.subarray(at, next), end >= 0)
        at = next
      }
    },
    *end() {
      yield* part(Buffer.alloc(0), true)
      tail.end()
      for (const text of texts) yield { type: 'text', text }
      texts = []
    },
  }
}
