// Finds the places in streams of bytes at which the TCP proxy of the tests does harm: once, at a byte that is named.

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down'

/** A place in the traffic of one direction. */
export interface Spot {
  direction: Direction
  /** Bytes are counted from the end of its next occurrence within one connection; without it, over all connections. */
  pattern?: Buffer
  /** So many bytes still pass unharmed: 0 is the very next one. */
  after: number
}

interface Fault {
  spot: Spot
  /** Bytes to invert from the spot on; 0: the connection is cut there. */
  garble: number
  reached: boolean
  /** The connection in which the pattern was found; null while it was not, or where all connections count. */
  stream: object | null
  /** Bytes to go to the spot, once they are counted. */
  left: number
  done: () => void
}

/** What is left of a piece when harm was done to it. */
export interface Harmed {
  bytes: Buffer
  cut: boolean
  /** To be called when the bytes are sent and the cut is made. */
  settle(): void
}

export interface Spots {
  /** Resolves when it has happened. `garble` 0 is a cut. */
  add(spot: Spot, garble: number): Promise<void>
  /** The bytes that follow in this stream. They are copied before harm is done to them. */
  harm(direction: Direction, stream: object, piece: Buffer): Harmed
}

export const createSpots = (): Spots => {
  let faults: Fault[] = []
  /** The last bytes of each stream, in which a pattern may have begun. */
  const tails = new WeakMap<object, Buffer>()

  /** Where in the piece the spot lies, or null; counts on. */
  const reach = (fault: Fault, stream: object, tail: Buffer, piece: Buffer): number | null => {
    const { pattern } = fault.spot
    let from = 0
    if (fault.reached) return fault.stream === stream || !pattern ? 0 : null
    if (pattern && fault.stream === null) {
      const place = Buffer.concat([tail, piece]).indexOf(pattern)
      if (place < 0) return null
      from = place + pattern.length - tail.length
      fault.stream = stream
    }
    if (pattern && fault.stream !== stream) return null
    const at = from + fault.left
    if (at < piece.length) {
      fault.reached = true
      return at
    }
    fault.left = at - piece.length
    return null
  }

  const keepTail = (stream: object, tail: Buffer, piece: Buffer): void => {
    const keep = Math.max(0, ...faults.map(({ spot }) => (spot.pattern?.length ?? 1) - 1))
    // subarray(-0) would be everything
    tails.set(stream, keep === 0 ? Buffer.alloc(0) : Buffer.concat([tail, piece]).subarray(-keep))
  }

  return {
    add: (spot, garble) =>
      new Promise(done => {
        faults.push({ spot, garble, reached: false, stream: null, left: spot.after, done })
      }),

    harm(direction, stream, piece) {
      const tail = tails.get(stream) ?? Buffer.alloc(0)
      const bytes = Buffer.from(piece)
      const over: Fault[] = []
      let end = piece.length
      let cutter: Fault | null = null
      for (const fault of faults.filter(({ spot }) => spot.direction === direction)) {
        const at = reach(fault, stream, tail, piece)
        if (at === null) continue
        if (fault.garble === 0) {
          if (cutter === null || at < end) [cutter, end] = [fault, at]
          continue
        }
        for (let place = at; place < bytes.length && fault.garble > 0; place++, fault.garble--)
          bytes[place] = (bytes[place] ?? 0) ^ 0xff
        if (fault.garble === 0) over.push(fault)
      }
      if (cutter) over.push(cutter)
      faults = faults.filter(fault => !over.includes(fault))
      keepTail(stream, tail, piece)
      return {
        bytes: bytes.subarray(0, end),
        cut: cutter !== null,
        settle() {
          for (const { done } of over) done()
        },
      }
    },
  }
}
