// Requests that write one upload, in processes that stand still, die, and come back.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { NO_UPLOAD_LIMITS } from '../../../src/core/upload-room.ts'
import { createUploadUses } from '../../../src/core/upload-uses.ts'
import { createUploads } from '../../../src/core/uploads.ts'
import { createMemory } from '../../../src/stores/memory/open.ts'
import { person } from '../../support/actors.ts'
import { undo } from '../../support/undo.ts'

const ada = person('ada')
const clock = () => new Date('2026-11-30T12:00:00.000Z')

const setUp = (t: TestContext) => {
  const memory = createMemory()
  let now = 0
  /** Those that stand still: the others take them for dead. */
  const still = new Set<string>()
  const open = async () => {
    const store = memory.open({ clock })
    undo(t, () => store.close())
    await store.announce({
      role: 'api',
      details: () => ({
        ...{ address: null, slots: 0, running: [], counters: {}, rssBytes: 0, cpu: 0, troubles: {} },
      }),
    })
    const uses = createUploadUses(store, clock)
    const uploads = createUploads({
      ...{ store, clock, ttlMs: 3_600_000, limits: NO_UPLOAD_LIMITS },
      uses: { ...uses, isAlive: async instance => !still.has(instance) && (await uses.isAlive(instance)) },
      typeOf: async () => 'text/plain',
      elapsed: () => now,
    })
    return { store, uploads }
  }
  return {
    open,
    freeze: (instance: string) => still.add(instance),
    pass: (ms: number) => {
      now += ms
    },
  }
}

/** Brings `first`, and `then` once it is let go. */
const halting = (first: string, then: string) => {
  let isAsked = () => {}
  let goOn = () => {}
  const asked = new Promise<void>(resolve => {
    isAsked = resolve
  })
  const gate = new Promise<void>(resolve => {
    goOn = resolve
  })
  const source = async function* () {
    yield Buffer.from(first)
    isAsked()
    await gate
    yield Buffer.from(then)
  }
  return { source: source(), asked, goOn: () => goOn() }
}
const textOf = async (stream: AsyncIterable<unknown>): Promise<string> => {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString()
}

describe('an upload in several requests', () => {
  it('is not touched by a process that counted as dead and comes back', async t => {
    const { open, pass, freeze } = setUp(t)
    const [frozen, other] = [await open(), await open()]
    const { id } = await frozen.uploads.begin(ada, {})
    const first = halting('good, ', 'stale bytes that nobody wants')
    const late = assert.rejects(frozen.uploads.append(ada, id, 0, first.source), { code: 'UPLOAD_BUSY' })
    await first.asked
    await assert.rejects(other.uploads.append(ada, id, 6, halting('', '').source), { code: 'UPLOAD_BUSY' })
    freeze(frozen.store.instance)
    const second = halting('and ', 'whole')
    second.goOn()
    const { bytes } = await other.uploads.append(ada, id, 6, second.source)
    assert.equal(bytes, 15)
    const { sha256 } = await other.uploads.finish(ada, id)
    pass(60_000)
    first.goOn()
    await late
    const content = await other.uploads.content(ada, id)
    assert.deepEqual([await textOf(await content.open()), content.sha256], ['good, and whole', sha256])
    assert.equal(await other.store.uploads.size(id), 15)
  })

  it('that is removed while bytes come says so to who sends them, and nothing stays', async t => {
    const { open, pass } = setUp(t)
    const { store, uploads } = await open()
    for (const waits of [true, false]) {
      const { id } = await uploads.begin(ada, {})
      const { source, asked, goOn } = halting('a', 'b')
      const gone = assert.rejects(uploads.append(ada, id, 0, source), { code: 'UPLOAD_NOT_FOUND' })
      await asked
      await uploads.remove(ada, id)
      if (waits) pass(60_000)
      goOn()
      await gone
      assert.equal(await store.documents.get('uploads', id), null)
    }
  })

  it('is finished once by any number of requests that say so at once', async t => {
    const { open } = setUp(t)
    const { uploads } = await open()
    const { id } = await uploads.begin(ada, {})
    const { source, goOn } = halting('a', 'b')
    goOn()
    await uploads.append(ada, id, 0, source)
    const told = await Promise.all(Array.from({ length: 20 }, () => uploads.finish(ada, id)))
    assert.deepEqual(new Set(told.map(({ sha256, bytes }) => `${sha256} ${bytes}`)).size, 1)
  })
})
