// How many bytes and how many uploads are let in.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createUploadRoom, NO_UPLOAD_LIMITS, type UploadLimits } from '../../../src/core/upload-room.ts'

const full = { code: 'UPLOADS_FULL' }

/** A store of uploads that no task names, on a clock that stands still. */
const setUp = (limits: Partial<UploadLimits> = {}, unusedMax = { perOwner: 3, inAll: 5 }) => {
  const stored: { owner: string | null; bytes: number; used: boolean }[] = []
  let now = 1_000
  let readings = 0
  /** What is to be done while a reading is under way. */
  let meanwhile: () => void = () => {}
  let gate: Promise<void> = Promise.resolve()
  const room = createUploadRoom({
    limits: { ...NO_UPLOAD_LIMITS, ...limits },
    unusedMax,
    elapsed: () => now,
    async read() {
      readings += 1
      await gate
      const byOwner = new Map<string | null, number>()
      const unusedByOwner = new Map<string | null, number>()
      for (const { owner, bytes, used } of stored) {
        byOwner.set(owner, (byOwner.get(owner) ?? 0) + bytes)
        if (!used) unusedByOwner.set(owner, (unusedByOwner.get(owner) ?? 0) + 1)
      }
      const all = stored.reduce((sum, { bytes }) => sum + bytes, 0)
      const unused = stored.filter(({ used }) => !used).length
      meanwhile()
      return { byOwner, all, count: stored.length, unusedByOwner, unused }
    },
  })
  return {
    ...{ room, stored },
    readings: () => readings,
    pass: (ms: number) => {
      now += ms
    },
    during: (work: () => void) => {
      meanwhile = work
    },
    /** Readings hang until the answer is called. */
    hold: () => {
      let goOn = () => {}
      gate = new Promise(resolve => {
        goOn = resolve
      })
      return () => goOn()
    },
    async add(owner: string | null, bytes = 0) {
      const space = await room.reserve(owner, null, 'new')
      space.took(bytes)
      stored.push({ owner, bytes, used: false })
      space.done(true)
    },
  }
}

describe('the room of uploads', () => {
  it('has a bound of empty uploads, for one owner and for all', async () => {
    const { room, add } = setUp()
    for (let n = 0; n < 3; n += 1) await add('ada')
    await assert.rejects(room.reserve('ada', 0, 'new'), full)
    for (let n = 0; n < 2; n += 1) await add(null)
    await assert.rejects(room.reserve('bob', null, 'new'), full)
    // bytes for one that is there need no room for another
    ;(await room.reserve('ada', 10, 'grows')).done(true)
  })

  it('counts those that begin at once, and no longer those that came to nothing', async () => {
    const { room } = setUp()
    const begun = await Promise.allSettled(Array.from({ length: 10 }, () => room.reserve('ada', null, 'new')))
    const spaces = begun.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
    assert.equal(spaces.length, 3)
    for (const space of spaces) space.done(false)
    await room.reserve('ada', null, 'new')
  })

  it('lets in more once tasks name them, or they are gone', async () => {
    const { room, add, stored, pass } = setUp()
    for (let n = 0; n < 3; n += 1) await add('ada')
    pass(60_000)
    await assert.rejects(room.reserve('ada', null, 'new'), full)
    for (const each of stored) each.used = true
    pass(60_000)
    await add('ada')
    stored.splice(0)
    pass(60_000)
    for (let n = 0; n < 3; n += 1) await add('ada')
  })

  it('makes nobody wait for a reading that takes long, once it has read', async () => {
    const { room, add, pass, readings, hold } = setUp()
    await add('ada')
    pass(60_000)
    const goOn = hold()
    ;(await room.reserve('ada', null, 'new')).done(false)
    assert.equal(readings(), 2)
    goOn()
  })

  it('reads little more often for who is refused than for who is let in, when reading takes long', async () => {
    const { room, add, readings, pass, during } = setUp()
    for (let n = 0; n < 3; n += 1) await add('ada')
    during(() => pass(1_000))
    pass(60_000)
    await assert.rejects(room.reserve('ada', null, 'new'), full)
    const before = readings()
    for (let n = 0; n < 20; n += 1) {
      pass(100)
      await assert.rejects(room.reserve('ada', null, 'new'), full)
    }
    assert.ok(readings() - before <= 1, `${readings() - before} readings`)
  })
})
