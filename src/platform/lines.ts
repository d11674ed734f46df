// Lines out of a stream of bytes, with a bound on each. It knows nothing of what stands in them.

/** A line was longer than allowed. */
export class LineTooLongError extends Error {}

export interface Line {
  /** From 1. */
  number: number
  /** Without the newline. */
  bytes: Buffer
  /** False for a last line that has no newline: it may be cut off. */
  ended: boolean
}

const NEWLINE = 10

/** @throws LineTooLongError as soon as a line has more than `maxBytes`, whatever is still to come */
export async function* readLines(input: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let number = 0
  let pending: Buffer[] = []
  let size = 0
  const add = (bytes: Buffer): void => {
    pending.push(bytes)
    size += bytes.length
    if (size > maxBytes)
      throw new LineTooLongError(`line ${number + 1} has more than ${maxBytes.toLocaleString('en')} bytes`)
  }
  const take = (ended: boolean): Line => {
    const bytes = Buffer.concat(pending)
    pending = []
    size = 0
    number += 1
    return { number, bytes, ended }
  }
  for await (const chunk of input) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      add(rest.subarray(0, at))
      yield take(true)
      rest = rest.subarray(at + 1)
    }
    if (rest.length > 0) add(rest)
  }
  if (size > 0) yield take(false)
}
