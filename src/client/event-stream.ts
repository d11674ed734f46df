// Parses Server-Sent Events as the HTML standard says, as an async generator.

export interface ServerEvent {
  event: string
  data: string
  /** The id of this event or of the last one before it that had an id; '' if none. */
  lastEventId: string
  /** How long clients should wait before they reconnect, milliseconds; null if the server has not said. */
  retryMs: number | null
}

/** Far more than any event of ours: another server at the address must not fill the memory. */
const EVENT_MAX = 64 * 1024 * 1024

/**
 * Parses text that arrives in pieces. `push` returns the complete events. An event cut off by the end of the stream is
 * dropped. An id alone moves `lastEventId`.
 */
export const createEventParser = (): {
  push(text: string): ServerEvent[]
  /** For the next connection, as the standard says. */
  lastEventId(): string
} => {
  /** The incomplete line. */
  let pieces: string[] = []
  let begun = false
  /** The last piece ended with CR: an LF at the beginning of the next one belongs to it. */
  let afterCr = false
  let lastEventId = ''
  let retryMs: number | null = null
  let idBuffer = ''
  let event = ''
  let data: string[] = []
  let size = 0
  /** Characters of the incomplete line. */
  let pending = 0

  const line = (text: string, into: ServerEvent[]): void => {
    if (text === '') {
      lastEventId = idBuffer
      if (data.length > 0)
        into.push({ event: event || 'message', data: data.join('\n'), lastEventId, retryMs })
      event = ''
      data = []
      size = 0
      return
    }
    if (text.startsWith(':')) return
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') event = value
    else if (field === 'data') {
      size += value.length
      data.push(value)
    } else if (field === 'id' && !value.includes('\0')) idBuffer = value
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value)
  }

  return {
    push(text) {
      const events: ServerEvent[] = []
      if (text === '') return events
      let from = !begun && text.startsWith('\ufeff') ? 1 : afterCr && text.startsWith('\n') ? 1 : 0
      begun = true
      afterCr = text.endsWith('\r')
      const ends = /\r\n|\n|\r/g
      for (ends.lastIndex = from; ; ) {
        const end = ends.exec(text)
        if (!end) break
        pieces.push(text.slice(from, end.index))
        line(pieces.join(''), events)
        pieces = []
        pending = 0
        from = ends.lastIndex
      }
      if (from < text.length) pieces.push(text.slice(from))
      pending += text.length - from
      if (pending + size > EVENT_MAX) throw new RangeError('An event is too large')
      return events
    },
    lastEventId: () => lastEventId,
  }
}

/** The events of a body. `onBytes` is called for all bytes, comments too. */
export const readEvents = async function* (
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
  onId: (id: string) => void,
): AsyncGenerator<ServerEvent, void, void> {
  const parser = createEventParser()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      onBytes()
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        onId(event.lastEventId)
        yield event
      }
      onId(parser.lastEventId())
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
