// Blobs: bytes beside a record, whole or not at all, read in ranges, gone with their task.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import type { TaskStore } from '../../../src/core/store.ts'
import { add, addEnded, type Check, refused, take } from './world.ts'

const bytesOf = async (
  store: TaskStore,
  id: string,
  name: string,
  range?: { start: number; end: number },
): Promise<Buffer | null> => {
  const blob = await store.getBlob(id, name, range)
  return blob && Buffer.concat(await blob.stream.toArray())
}

export const blobs = (check: Check): void => {
  check(
    'bytes and streams are kept as they are, in every store and after everything was closed',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const { id } = await add(one)
      const large = randomBytes(3_000_000)
      const parts = (function* () {
        for (let start = 0; start < large.length; start += 70_001) yield large.subarray(start, start + 70_001)
      })()
      assert.deepEqual(await one.putBlob(id, 'bytes.bin', large.subarray(0, 1000)), {
        name: 'bytes.bin',
        bytes: 1000,
      })
      const stream = Readable.from(parts, { objectMode: false })
      assert.deepEqual(await one.putBlob(id, 'stream.bin', stream), {
        name: 'stream.bin',
        bytes: large.length,
      })
      assert.deepEqual(await one.putBlob(id, 'empty.bin', new Uint8Array()), { name: 'empty.bin', bytes: 0 })
      const holds = async (store: TaskStore): Promise<void> => {
        assert.ok(large.subarray(0, 1000).equals((await bytesOf(store, id, 'bytes.bin')) ?? Buffer.of()))
        assert.ok(large.equals((await bytesOf(store, id, 'stream.bin')) ?? Buffer.of()))
        assert.deepEqual(await bytesOf(store, id, 'empty.bin'), Buffer.of())
        assert.deepEqual(
          (await store.listBlobs(id)).toSorted((a, b) => a.bytes - b.bytes),
          [
            { name: 'empty.bin', bytes: 0 },
            { name: 'bytes.bin', bytes: 1000 },
            { name: 'stream.bin', bytes: large.length },
          ],
        )
        const stored = await store.getBlob(id, 'stream.bin')
        assert.equal(stored?.bytes, large.length)
        stored?.stream.destroy()
      }
      await holds(one)
      await holds(other)
      await one.close()
      await other.close()
      await holds(await world.open())
    },
  )

  check('any range is read exactly, its end cut at the end of the blob', async world => {
    const store = await world.open()
    const { id } = await add(store)
    const whole = randomBytes(200_000)
    await store.putBlob(id, 'x', whole)
    const place = fc.integer({ min: 0, max: whole.length })
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const range = { start: Math.min(a, b), end: Math.max(a, b) }
        const read = await bytesOf(store, id, 'x', range)
        assert.ok(read && whole.subarray(range.start, range.end).equals(read))
      }),
      {
        numRuns: 60,
        examples: [
          [0, 0],
          [0, 1],
          [whole.length - 1, whole.length],
          [whole.length, whole.length],
        ],
      },
    )
    const tail = await bytesOf(store, id, 'x', { start: whole.length - 5, end: whole.length + 100 })
    assert.ok(tail && whole.subarray(-5).equals(tail))
  })

  check('whoever gave bytes, or has read them, may write over theirs', async world => {
    const store = await world.open()
    const { id } = await add(store)
    const [given, parts] = [Buffer.from('as it was'), [Buffer.from('as it '), Buffer.from('was')]]
    await store.putBlob(id, 'bytes', given)
    await store.putBlob(id, 'stream', Readable.from(parts))
    for (const bytes of [given, ...parts]) bytes.fill(0)
    for (const name of ['bytes', 'stream'])
      for (let turn = 0; turn < 2; turn += 1) {
        const blob = await store.getBlob(id, name)
        const read: Buffer[] = (await blob?.stream.toArray()) ?? []
        assert.equal(Buffer.concat(read).toString(), 'as it was')
        for (const bytes of read) bytes.fill(0)
      }
  })

  check('a reader that races a writer gets one of the two, whole', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const size = 300_000
    const version = (n: number): Buffer => Buffer.alloc(size + n, 65 + n)
    await one.putBlob(id, 'x', version(0))
    let writing = true
    const reader = async (): Promise<number> => {
      let reads = 0
      while (writing || reads === 0) {
        const bytes = await bytesOf(other, id, 'x')
        assert.ok(bytes)
        assert.ok(version(bytes.length - size).equals(bytes), 'the bytes are of one version')
        reads += 1
      }
      return reads
    }
    const writer = async (): Promise<void> => {
      try {
        for (let n = 1; n <= 25; n += 1)
          await one.putBlob(id, 'x', n % 2 === 0 ? version(n) : Readable.from([version(n)]))
      } finally {
        writing = false
      }
    }
    const [reads] = await Promise.all([reader(), reader(), writer()])
    assert.ok(reads > 0)
    assert.ok(version(25).equals((await bytesOf(other, id, 'x')) ?? Buffer.of()))
  })

  check('a reader that has begun gets its version to the end, whatever happens meanwhile', async world => {
    const store = await world.open()
    const { id } = await addEnded(store)
    const whole = randomBytes(2_000_000)
    await store.putBlob(id, 'x', whole)
    const blob = await store.getBlob(id, 'x')
    const removed = await store.getBlob(id, 'x')
    await store.putBlob(id, 'x', Buffer.from('short'))
    assert.ok(whole.equals(Buffer.concat((await blob?.stream.toArray()) ?? [])))
    await store.remove(id)
    assert.ok(whole.equals(Buffer.concat((await removed?.stream.toArray()) ?? [])))
  })

  check('a stream that fails midway leaves the old blob, or none', async world => {
    const store = await world.open()
    const { id } = await add(store)
    await store.putBlob(id, 'old', Buffer.from('old'))
    const failing = () =>
      Readable.from(
        (async function* () {
          yield Buffer.alloc(100_000)
          await new Promise(setImmediate)
          throw new Error('the source broke')
        })(),
      )
    for (const name of ['old', 'new']) await assert.rejects(store.putBlob(id, name, failing()))
    assert.equal((await bytesOf(store, id, 'old'))?.toString(), 'old')
    assert.equal(await store.getBlob(id, 'new'), null)
    assert.deepEqual(await store.listBlobs(id), [{ name: 'old', bytes: 3 }])
    await store.putBlob(id, 'new', Buffer.from('new'))
    assert.equal((await bytesOf(store, id, 'new'))?.toString(), 'new')
  })

  check('a stream that is destroyed midway is a failure, not the end of the blob', async world => {
    const store = await world.open()
    const { id } = await add(store)
    const stream = new Readable({ read() {} })
    stream.push(Buffer.alloc(1000))
    const putting = store.putBlob(id, 'x', stream)
    setImmediate(() => stream.destroy())
    await assert.rejects(putting)
    assert.equal(await store.getBlob(id, 'x'), null)
  })

  check('writers of one name at once leave the whole of one of them', async world => {
    const stores = [await world.open(), await world.open()]
    const id = (await add(stores[0] ?? (await world.open()))).id
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => stores[n % 2]?.putBlob(id, 'x', Buffer.alloc(50_000 + n, n))),
    )
    const bytes = await bytesOf(stores[1] ?? (await world.open()), id, 'x')
    assert.ok(bytes)
    const n = bytes.length - 50_000
    assert.ok(n >= 0 && n < 10 && Buffer.alloc(50_000 + n, n).equals(bytes))
  })

  check('a blob can be removed, twice even, and the others stay', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const neighbour = await add(one)
    for (const task of [id, neighbour.id])
      for (const name of ['a', 'b']) await one.putBlob(task, name, Buffer.from(name))
    await other.removeBlob(id, 'a')
    await one.removeBlob(id, 'a')
    assert.equal(await one.getBlob(id, 'a'), null)
    assert.deepEqual(await other.listBlobs(id), [{ name: 'b', bytes: 1 }])
    assert.equal((await one.listBlobs(neighbour.id)).length, 2)
  })

  check('blobs go with their task, and none can be put beside one that is gone', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await addEnded(one)
    await one.putBlob(id, 'a', Buffer.from('a'))
    await other.remove(id)
    for (const store of [one, other]) {
      assert.equal(await store.getBlob(id, 'a'), null)
      assert.deepEqual(await store.listBlobs(id), [])
      await refused(() => store.putBlob(id, 'a', Buffer.from('a')), 'TASK_NOT_FOUND')
      assert.equal(await store.getBlob(id, 'a'), null)
    }
  })

  check('blobs can be put while the task runs, by any process, and moves leave them alone', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim } = await take(one, id)
    await Promise.all([
      one.putBlob(id, 'checkpoint.bin', Buffer.from('c')),
      one.move(id, claim, task => ({ ...task, title: 'moved' })),
      other.putBlob(id, 'log.txt', Buffer.from('l')),
    ])
    assert.equal((await bytesOf(other, id, 'checkpoint.bin'))?.toString(), 'c')
    assert.equal((await bytesOf(one, id, 'log.txt'))?.toString(), 'l')
  })
}
