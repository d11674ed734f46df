// The contract of the UploadBytes port: what every adapter must do. Written to the promises in src/core/upload-bytes.ts.
// `uploadsProcessesSuite` has the part for stores that live over several processes.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { newTaskId } from '../../src/core/task.ts'
import type { StoredUpload, UploadBytes } from '../../src/core/upload-bytes.ts'
import { startChild } from '../support/child.ts'
import { generator, newSeed } from '../support/generator.ts'
import { type UploadLine, uploadBytes } from '../support/store-uploads.ts'
import { SAMPLE } from './store/sample.ts'
import { type Check, checkIn, refused, type StoreFactory } from './store/world.ts'
import type { ProcessStoreFactory, ProcessWorld } from './store-processes.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** Null where there is none. */
const bytesOf = async (
  uploads: UploadBytes,
  id: string,
  range?: { start: number; end: number },
): Promise<Buffer | null> => {
  const found = await uploads.read(id, range)
  return found && Buffer.concat(await found.stream.toArray())
}
const streamOf = (...pieces: Buffer[]): Readable => Readable.from(pieces)

/** Pieces of this size, as they come from a network. */
const inPieces = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    })(),
    { objectMode: false },
  )

/** Brings these bytes, then breaks. */
const breaking = (error: Error, ...pieces: Buffer[]): Readable =>
  Readable.from(
    (async function* () {
      yield* pieces
      await new Promise(setImmediate)
      throw error
    })(),
  )

/** Every upload, page by page. */
export const allUploads = async (uploads: UploadBytes, limit = 100): Promise<StoredUpload[]> => {
  const found: StoredUpload[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<UploadBytes['list']>> = await uploads.list({ limit, cursor })
    assert.ok(page.uploads.length <= limit)
    found.push(...page.uploads)
    cursor = page.next
  } while (cursor !== null)
  return found
}
const sorted = (uploads: readonly StoredUpload[]): StoredUpload[] =>
  uploads.toSorted((a, b) => (a.id < b.id ? -1 : 1))

const writing = (check: Check): void => {
  check('bytes are kept as they came, in every store and after everything was closed', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const [id, empty] = [newTaskId(), newTaskId()]
    const large = randomBytes(3_000_000)
    assert.equal(await one.uploads.write(id, 0, inPieces(large, 70_001)), large.length)
    assert.equal(await one.uploads.write(empty, 0, streamOf()), 0)
    const holds = async ({ uploads }: typeof one): Promise<void> => {
      assert.ok(large.equals((await bytesOf(uploads, id)) ?? Buffer.of()))
      assert.deepEqual(await bytesOf(uploads, empty), Buffer.of())
      assert.deepEqual([await uploads.size(id), await uploads.size(empty)], [large.length, 0])
    }
    await holds(one)
    await holds(other)
    await one.close()
    await other.close()
    await holds(await world.open())
  })

  check('bytes that come in several writes stand behind one another, whoever writes them', async world => {
    const stores = [await world.open(), await world.open()]
    const id = newTaskId()
    const whole = randomBytes(1_500_000)
    // ends within chunks of an adapter, at their end, and one byte further
    const ends = [0, 1, 1000, 256 * KIB, 256 * KIB + 1, 512 * KIB - 1, 512 * KIB, MIB, whole.length]
    for (const [n, end] of ends.entries()) {
      const start = ends[n - 1] ?? 0
      const store = stores[n % 2]
      assert.equal(await store?.uploads.write(id, start, inPieces(whole.subarray(start, end), 50_000)), end)
      assert.equal(await stores[(n + 1) % 2]?.uploads.size(id), end)
    }
    for (const store of stores) assert.ok(whole.equals((await bytesOf(store.uploads, id)) ?? Buffer.of()))
  })

  check('a write from within cuts off what stood there and behind it', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    const place = fc.integer({ min: 0, max: 700 * KIB })
    let there = Buffer.of()
    await fc.assert(
      fc.asyncProperty(place, place, place, async (a, length, piece) => {
        const offset = Math.min(a, there.length)
        const bytes = randomBytes(length)
        const size = await uploads.write(id, offset, inPieces(bytes, Math.max(1000, piece)))
        there = Buffer.concat([there.subarray(0, offset), bytes])
        assert.equal(size, there.length)
        assert.equal(await uploads.size(id), there.length)
        assert.ok(there.equals((await bytesOf(uploads, id)) ?? Buffer.of()))
      }),
      {
        numRuns: 30,
        examples: [
          [0, 600 * KIB, 1000],
          [256 * KIB, 0, 1000],
          [256 * KIB, 256 * KIB, 1000],
          [300 * KIB, 1, 1000],
          [10, 0, 1000],
          [0, 0, 1000],
        ],
      },
    )
  })

  check('what would leave a gap is refused, and changes nothing', async world => {
    const { uploads } = await world.open()
    const [id, none] = [newTaskId(), newTaskId()]
    await uploads.write(id, 0, streamOf(Buffer.from('four')))
    await refused(() => uploads.write(id, 5, streamOf(Buffer.from('x'))), 'BAD_REQUEST')
    await refused(() => uploads.write(none, 1, streamOf(Buffer.from('x'))), 'BAD_REQUEST')
    for (const offset of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      await refused(() => uploads.write(id, offset, streamOf(Buffer.from('x'))), 'BAD_REQUEST')
    assert.equal((await bytesOf(uploads, id))?.toString(), 'four')
    assert.equal(await uploads.size(none), null)
    assert.deepEqual(await allUploads(uploads), [{ id, bytes: 4 }])
  })

  check(
    'a stream that fails midway throws its own error; what had come stays and is written on',
    async world => {
      const { uploads } = await world.open()
      const id = newTaskId()
      const whole = randomBytes(900_000)
      const error = Object.assign(new Error('gone away'), { code: 'ECONNRESET' })
      await uploads.write(id, 0, streamOf(whole.subarray(0, 1000)))
      const broken = breaking(error, whole.subarray(1000, 300_000), whole.subarray(300_000, 700_000))
      await assert.rejects(uploads.write(id, 1000, broken), thrown => thrown === error)
      assert.equal(await uploads.size(id), 700_000)
      assert.ok(whole.subarray(0, 700_000).equals((await bytesOf(uploads, id)) ?? Buffer.of()))
      assert.equal(await uploads.write(id, 700_000, streamOf(whole.subarray(700_000))), whole.length)
      assert.ok(whole.equals((await bytesOf(uploads, id)) ?? Buffer.of()))
    },
  )

  check('a stream that is destroyed midway is a failure, not the end of the bytes', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    const stream = new Readable({ read() {} })
    stream.push(Buffer.alloc(1000))
    const written = uploads.write(id, 0, stream)
    setImmediate(() => stream.destroy())
    await assert.rejects(written)
    assert.ok(((await uploads.size(id)) ?? 0) <= 1000)
  })

  check(
    'a large stream is taken at the pace at which it is kept, and given out at that of its reader',
    async world => {
      const { uploads } = await world.open()
      const id = newTaskId()
      const [pieces, size] = [1024, 64 * KIB]
      const made = { count: 0, most: 0, kept: 0 }
      const source = Readable.from(
        (async function* () {
          for (let n = 0; n < pieces; n += 1) {
            made.count += 1
            if (n % 64 === 0) made.kept = (await uploads.size(id)) ?? 0
            made.most = Math.max(made.most, made.count * size - made.kept)
            yield Buffer.alloc(size, n % 251)
          }
        })(),
        { highWaterMark: 1 },
      )
      assert.equal(await uploads.write(id, 0, source), pieces * size)
      // asked at every 64th piece of 64 KiB; besides those, a few chunks are on their way
      assert.ok(made.most <= 8 * MIB, `${made.most} bytes were held`)
      const found = await uploads.read(id)
      assert.equal(found?.bytes, pieces * size)
      let at = 0
      for await (const piece of found?.stream ?? []) {
        const bytes = piece as Buffer
        assert.ok(bytes.length <= MIB)
        for (const place of [0, bytes.length - 1])
          assert.equal(bytes[place], Math.floor((at + place) / size) % 251)
        at += bytes.length
      }
      assert.equal(at, pieces * size)
    },
  )

  check('whoever gave bytes, or has read them, may write over theirs', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    const given = [Buffer.from('as it '), Buffer.from('was')]
    await uploads.write(id, 0, streamOf(...given))
    for (const bytes of given) bytes.fill(0)
    for (let turn = 0; turn < 2; turn += 1) {
      const read: Buffer[] = (await (await uploads.read(id))?.stream.toArray()) ?? []
      assert.equal(Buffer.concat(read).toString(), 'as it was')
      for (const bytes of read) bytes.fill(0)
    }
  })
}

const reading = (check: Check): void => {
  check('any range is read exactly, its end cut at the end of the bytes', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    const whole = randomBytes(600_000)
    await uploads.write(id, 0, inPieces(whole, 64 * KIB))
    const place = fc.integer({ min: 0, max: whole.length + 10 })
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const range = { start: Math.min(a, b), end: Math.max(a, b) }
        const found = await uploads.read(id, range)
        assert.equal(found?.bytes, whole.length)
        const read = Buffer.concat((await found?.stream.toArray()) ?? [])
        assert.ok(whole.subarray(range.start, range.end).equals(read))
      }),
      {
        numRuns: 40,
        examples: [
          [0, 0],
          [0, 1],
          [256 * KIB - 1, 256 * KIB + 1],
          [256 * KIB, 512 * KIB],
          [whole.length, whole.length + 5],
        ],
      },
    )
  })

  check('what is not there has no size, no bytes and nothing to remove', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    assert.deepEqual([await uploads.size(id), await uploads.read(id)], [null, null])
    await uploads.remove(id)
    assert.deepEqual(await allUploads(uploads), [])
  })

  check('an id is a UUID, in upper case too, and nothing else', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    await uploads.write(id.toUpperCase(), 0, streamOf(Buffer.from('some')))
    assert.equal(await uploads.write(id, 4, streamOf(Buffer.from(' more'))), 9)
    assert.equal(await uploads.size(id.toUpperCase()), 9)
    assert.deepEqual(await allUploads(uploads), [{ id, bytes: 9 }])
    for (const bad of ['', '.', '..', '../tasks', `${id}/x`, `${id}\0`, ` ${id}`, 'x'.repeat(36), `${id}x`]) {
      await refused(() => uploads.write(bad, 0, streamOf(Buffer.from('x'))), 'BAD_ID')
      await refused(() => uploads.read(bad), 'BAD_ID')
      await refused(() => uploads.size(bad), 'BAD_ID')
      await refused(() => uploads.remove(bad), 'BAD_ID')
    }
    await uploads.remove(id.toUpperCase())
    assert.equal(await uploads.size(id), null)
  })
}

const keeping = (check: Check): void => {
  check('a removed upload is gone everywhere, can be removed again, and written anew', async world => {
    const [{ uploads: one }, { uploads: other }] = [await world.open(), await world.open()]
    const [id, neighbour] = [newTaskId(), newTaskId()]
    for (const each of [id, neighbour]) await one.write(each, 0, streamOf(randomBytes(600_000)))
    await other.remove(id)
    await one.remove(id)
    for (const uploads of [one, other]) {
      assert.deepEqual([await uploads.size(id), await uploads.read(id)], [null, null])
      assert.deepEqual(await allUploads(uploads), [{ id: neighbour, bytes: 600_000 }])
    }
    await refused(() => one.write(id, 1, streamOf(Buffer.from('x'))), 'BAD_REQUEST')
    assert.equal(await other.write(id, 0, streamOf(Buffer.from('anew'))), 4)
    assert.equal((await bytesOf(one, id))?.toString(), 'anew')
  })

  check(
    'an upload that is removed while it is written is not there afterwards, and the writer is told',
    async world => {
      const [{ uploads: one }, { uploads: other }] = [await world.open(), await world.open()]
      const id = newTaskId()
      const source = Readable.from(
        (async function* () {
          yield Buffer.alloc(300 * KIB)
          await new Promise(setImmediate)
          await other.remove(id)
          yield Buffer.alloc(300 * KIB)
        })(),
        { highWaterMark: 1 },
      )
      await refused(() => one.write(id, 0, source), 'UPLOAD_NOT_FOUND')
      assert.equal(await other.size(id), null)
      assert.deepEqual(await allUploads(other), [])
    },
  )

  check('pages of any size have every upload once, with its bytes', async world => {
    const [{ uploads: one }, { uploads: other }] = [await world.open(), await world.open()]
    const made: StoredUpload[] = []
    for (let n = 0; n < 23; n += 1) {
      const id = newTaskId()
      made.push({ id, bytes: await one.write(id, 0, streamOf(Buffer.alloc(n * 7))) })
    }
    for (const limit of [1, 2, 7, 22, 23, 24, 1000])
      assert.deepEqual(sorted(await allUploads(other, limit)), sorted(made))
    // what stays while pages are read is in them once, whatever else goes
    const first = await other.list({ limit: 10, cursor: null })
    const [gone] = first.uploads
    await one.remove(gone?.id ?? '')
    await one.remove(first.next ?? '')
    const rest: StoredUpload[] = []
    for (let { next } = first; next !== null; ) {
      const page = await other.list({ limit: 5, cursor: next })
      rest.push(...page.uploads)
      next = page.next
    }
    assert.deepEqual(sorted([...first.uploads, ...rest]), sorted(made))
    for (const cursor of ['', 'x', '../x', 'x'.repeat(36), `${made[0]?.id}\n`])
      await refused(() => one.list({ limit: 5, cursor }), 'BAD_CURSOR')
  })

  check('nothing is written or read once the store is closed', async world => {
    const { uploads, close } = await world.open()
    const id = newTaskId()
    await uploads.write(id, 0, streamOf(Buffer.from('x')))
    await close()
    await refused(() => uploads.write(id, 1, streamOf(Buffer.from('x'))), 'STORE_UNAVAILABLE')
    for (const call of [uploads.read, uploads.size, uploads.remove])
      await refused(() => call(id), 'STORE_UNAVAILABLE')
    await refused(() => uploads.list({ limit: 1, cursor: null }), 'STORE_UNAVAILABLE')
    assert.equal(await (await world.open()).uploads.size(id), 1)
  })
}

export const uploadsSuite = (name: string, factory: StoreFactory): void => {
  describe(`uploads ${name}`, () => {
    writing(checkIn(factory))
    reading(checkIn(factory))
    keeping(checkIn(factory))
  })
}

const kills = (check: Check<ProcessWorld>): void => {
  check('kill -9 of the writer: what was acknowledged is there, and the next one writes on', async world => {
    const { uploads } = await world.open()
    const id = newTaskId()
    const [seed, random] = (made => [made, generator(made)] as const)(newSeed())
    let durable = 0
    for (let kill = 0; kill < SAMPLE.documentKills; kill += 1) {
      const writer = startChild<UploadLine>('store-child.ts', { place: world.place, role: 'uploads', id })
      await writer.line(line => (line.durable ?? 0) > durable)
      // it is in the middle of the next ones
      await delay(random() * 50)
      await writer.kill()
      durable = Math.max(durable, ...writer.lines.map(line => line.durable ?? 0))
      const size = await uploads.size(id)
      assert.ok(size !== null && size >= durable, `seed ${seed}: ${size} bytes of ${durable} are there`)
      const found = await bytesOf(uploads, id)
      assert.ok(uploadBytes(0, size).equals(found ?? Buffer.of()), `seed ${seed}: the bytes are others`)
      assert.deepEqual(await allUploads(uploads), [{ id, bytes: size }])
    }
    await uploads.remove(id)
    assert.deepEqual(await allUploads(uploads), [])
  })
}

export const uploadsProcessesSuite = (name: string, factory: ProcessStoreFactory): void => {
  describe(`uploads ${name}, several processes`, () => {
    kills(checkIn(factory))
  })
}
