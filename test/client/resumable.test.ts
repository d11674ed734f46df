// An upload of many calls against a server that loses calls and answers: what arrives is the source, whole and once.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { ApiError, ConnectionError } from '../../src/client/client.ts'
import { isTemporary } from '../../src/client/errors.ts'
import { type FileSource, piecesOf } from '../../src/client/file-source.ts'
import { type UploadDoor, uploadInPieces } from '../../src/client/resumable.ts'
import type { Upload } from '../../src/client/upload-types.ts'

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const ID = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const refusal = (code: string, more: object = {}): ApiError =>
  new ApiError({ type: '', title: '', status: 409, detail: code, code, ...more } as never)
const lost = (): ConnectionError => new ConnectionError('lost')

/** What happens to a call: it comes, it does not, a part does, its answer is lost, or another request is still there. */
type Fate = 'comes' | 'is lost' | 'comes in part' | 'has no answer' | 'finds it busy' | 'comes late'
const FATES: Fate[] = ['comes', 'is lost', 'comes in part', 'has no answer', 'finds it busy', 'comes late']

/** A server in memory. After the fates that are given, all goes well. `says`: whether a refusal says where it ends. */
const createServer = ({ fates = [], says = true }: { fates?: Fate[]; says?: boolean }) => {
  const left = [...fates]
  let bytes: Uint8Array = new Uint8Array()
  /** What its note says, which may be behind. */
  let noted = 0
  let late: (() => void) | null = null
  let state: Upload['state'] = 'open'
  let length: number | null = null
  const calls: string[] = []
  const note = (): Upload => ({
    ...{ id: ID, name: null, bytes: noted, type: null, state, length, owner: null },
    ...{ sha256: state === 'whole' ? sha(bytes) : null, createdAt: '', expiresAt: null },
  })
  const add = (more: Uint8Array): void => {
    bytes = Buffer.concat([bytes, more])
    noted = bytes.length
  }
  const settle = (): void => {
    late?.()
    late = null
  }
  const door: UploadDoor = {
    ...{ patienceMs: 3_600_000, isTemporary },
    async begin(wish) {
      calls.push('begin')
      if (left.shift() === 'is lost') throw lost()
      length = wish.length
      return note()
    },
    async get() {
      calls.push('get')
      return note()
    },
    async append(_id, offset, piece) {
      calls.push(`append ${offset}`)
      settle()
      if (state === 'whole' || offset !== bytes.length)
        throw refusal('UPLOAD_OFFSET', says ? { offset: bytes.length } : {})
      const fate = left.shift() ?? 'comes'
      if (fate === 'is lost') throw lost()
      if (fate === 'finds it busy') throw refusal('UPLOAD_BUSY')
      if (fate === 'comes late') {
        const before = noted
        late = () => {
          add(piece)
          assert.ok(noted > before)
        }
        throw lost()
      }
      add(fate === 'comes in part' ? piece.subarray(0, Math.ceil(piece.length / 2)) : piece)
      if (fate !== 'comes') throw lost()
      return note()
    },
    async finish(_whole, expected) {
      calls.push('finish')
      settle()
      if (state === 'whole') return note()
      if (expected !== null && expected !== sha(bytes)) throw refusal('UPLOAD_DIGEST_WRONG')
      const fate = left.shift()
      if (fate === 'is lost') throw lost()
      state = 'whole'
      if (fate === 'has no answer') throw lost()
      return note()
    },
  }
  return { door, calls, add, bytes: () => bytes }
}

/** Waits between tries take no time. */
const quickly = (t: TestContext): void => {
  t.mock.method(globalThis, 'setTimeout', ((call: () => void) => void queueMicrotask(call)) as never)
}

describe('an upload of many calls', () => {
  it('arrives whole and once, whatever is lost on the way', async t => {
    quickly(t)
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 25 }),
        fc.array(fc.constantFrom(...FATES), { maxLength: 12 }),
        fc.boolean(),
        async (bytes, pieceBytes, fates, says) => {
          const server = createServer({ fates, says })
          const seen: number[] = []
          const onProgress = (progress: { bytes: number }): number => seen.push(progress.bytes)
          const upload = await uploadInPieces(server.door, bytes, { pieceBytes, onProgress })
          assert.deepEqual([upload.state, upload.sha256], ['whole', sha(bytes)])
          assert.deepEqual(Buffer.from(server.bytes()), Buffer.from(bytes))
          assert.deepEqual(
            seen,
            seen.toSorted((a, b) => a - b),
          )
          assert.equal(seen.at(-1), bytes.length)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('goes on with what an earlier run has sent, and sends only the rest', async () => {
    const server = createServer({})
    server.add(Buffer.from('abcde'))
    const upload = await uploadInPieces(server.door, 'abcdefghij', { id: ID, pieceBytes: 4 })
    assert.equal(upload.sha256, sha(Buffer.from('abcdefghij')))
    assert.deepEqual(server.calls, ['get', 'append 5', 'append 8', 'finish'])
    const again = await uploadInPieces(server.door, 'abcdefghij', { id: ID, pieceBytes: 4 })
    assert.deepEqual(again, upload)
  })

  it('refuses to go on with what is not its own beginning', async () => {
    const longer = createServer({})
    longer.add(Buffer.from('abcdef'))
    await assert.rejects(uploadInPieces(longer.door, 'abc', { id: ID, pieceBytes: 4 }), RangeError)
    const other = createServer({})
    other.add(Buffer.from('xyz'))
    await assert.rejects(uploadInPieces(other.door, 'abcdef', { id: ID, pieceBytes: 4 }), {
      code: 'UPLOAD_DIGEST_WRONG',
    })
  })

  it('ends when somebody else writes it too', async t => {
    quickly(t)
    const server = createServer({})
    const { append } = server.door
    server.door.append = async (...args) => {
      const note = await append(...args)
      server.add(Buffer.from('from somebody else'))
      return note
    }
    await assert.rejects(uploadInPieces(server.door, 'abcdefgh', { pieceBytes: 3 }), {
      code: 'UPLOAD_OFFSET',
    })
  })

  it('gives up on a server that stays away, at once on a refusal, and when the signal fires', async t => {
    quickly(t)
    const away = createServer({})
    away.door.patienceMs = 0
    away.door.append = async () => Promise.reject(lost())
    await assert.rejects(uploadInPieces(away.door, 'abc', { pieceBytes: 3 }), ConnectionError)
    const full = createServer({})
    let tries = 0
    full.door.append = async () => {
      tries += 1
      throw refusal('UPLOADS_FULL')
    }
    await assert.rejects(uploadInPieces(full.door, 'abc', { pieceBytes: 3 }), { code: 'UPLOADS_FULL' })
    assert.equal(tries, 1)
    const stopped = createServer({})
    const controller = new AbortController()
    const onProgress = ({ bytes }: { bytes: number }): void => {
      if (bytes >= 4) controller.abort(new Error('enough'))
    }
    await assert.rejects(
      uploadInPieces(stopped.door, 'abcdefgh', { pieceBytes: 2, signal: controller.signal, onProgress }),
      /enough/,
    )
    assert.equal(String(stopped.bytes()), 'abcd')
  })
})

describe('a source', () => {
  const gather = async (source: FileSource, size: number): Promise<Uint8Array[]> => {
    const pieces: Uint8Array[] = []
    for await (const piece of piecesOf(source, size)) pieces.push(piece)
    return pieces
  }

  it('of any sort is cut into the same pieces', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        async (parts, size) => {
          const bytes = new Uint8Array(Buffer.concat(parts))
          const sources: FileSource[] = [
            bytes,
            new Blob([bytes]),
            new Blob([bytes]).stream(),
            (async function* () {
              yield* parts
            })(),
          ]
          for (const source of sources) {
            const pieces = await gather(source, size)
            assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytes))
            for (const piece of pieces.slice(0, -1)) assert.equal(piece.length, size)
            assert.ok(pieces.every(({ length }) => length > 0 && length <= size))
          }
        },
      ),
    ))

  it('that is left early is told so', async () => {
    let over = 0
    const stream = new ReadableStream<Uint8Array>({
      pull: controller => controller.enqueue(new Uint8Array(10)),
      cancel: () => {
        over += 1
      },
    })
    for await (const _ of piecesOf(stream, 5)) break
    const generator = (async function* () {
      try {
        for (;;) yield 'abc'
      } finally {
        over += 1
      }
    })()
    for await (const _ of piecesOf(generator, 5)) break
    assert.equal(over, 2)
    for (const size of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      await assert.rejects(gather('abc', size), RangeError)
  })
})
