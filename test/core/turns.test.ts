// Sharing the event loop: what one turn of it does, counted.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createTurns } from '../../src/core/turns.ts'
import { countPerTurn } from '../support/per-turn.ts'

const LIMITS = { records: 10, bytes: 1_000, ms: Number.POSITIVE_INFINITY }

describe('turns', () => {
  const work = async (turns: ReturnType<typeof createTurns>, pieces: number, did: () => void, bytes = 0) => {
    for (let piece = 0; piece < pieces; piece += 1) {
      did()
      await turns.spend(1, bytes)
    }
  }

  it('let one turn of the loop do so many records', async () => {
    const turns = createTurns(LIMITS)
    const count = countPerTurn()
    await work(turns, 95, () => count.add(1))
    assert.deepEqual(count.close(), { most: 10, total: 95 })
  })

  it('let one turn of the loop do so many bytes', async () => {
    const turns = createTurns(LIMITS)
    const count = countPerTurn()
    await work(turns, 20, () => count.add(400), 400)
    assert.deepEqual(count.close(), { most: 1_200, total: 8_000 })
  })

  it('let one turn of the loop take so many milliseconds', async () => {
    let now = 0
    const turns = createTurns({ ...LIMITS, ms: 5 }, () => now)
    const count = countPerTurn()
    await work(turns, 9, () => {
      now += 2
      count.add(1)
    })
    // the first piece begins the turn: how long it took is not known
    assert.equal(count.close().most, 4)
  })

  it('begin anew with each turn of the loop, whatever the one before was full of', async () => {
    let now = 0
    for (const limits of [
      { ...LIMITS, ms: 5 },
      { ...LIMITS, records: 1_000 },
    ]) {
      const turns = createTurns(limits, () => now)
      const spend = () => {
        now += 2
        return turns.spend(4, 400)
      }
      // as much as a turn does, and a little more
      for (let piece = 0; piece < 4; piece += 1) await spend()
      for (let turn = 0; turn < 5; turn += 1) {
        await new Promise(setImmediate)
        await new Promise(setImmediate)
        assert.equal(spend(), undefined, `turn ${turn}`)
      }
    }
  })

  it('are shared: many at once do little more in one turn than one alone', async () => {
    const turns = createTurns(LIMITS)
    const count = countPerTurn()
    await Promise.all(Array.from({ length: 30 }, () => work(turns, 50, () => count.add(1))))
    const { most, total } = count.close()
    assert.equal(total, 1_500)
    // the first turn is that in which all of them come, each with its first piece
    assert.ok(most <= 40, `${most} records in one turn`)
  })

  it('are shared in time, too: as many go on in one turn as their last pieces took of it', async () => {
    let now = 0
    const turns = createTurns({ ...LIMITS, ms: 5 }, () => now)
    const counts: number[] = []
    let inTurn = 0
    let over = false
    const watch = (): void => {
      counts.push(inTurn)
      inTurn = 0
      if (!over) setImmediate(watch)
    }
    const lane = () =>
      work(turns, 10, () => {
        now += 2
        inTurn += 1
      })
    const lanes = Promise.all(Array.from({ length: 20 }, lane))
    setImmediate(watch)
    await lanes
    over = true
    // the first turn is that in which all of them come
    const most = Math.max(...counts.slice(1))
    assert.ok(most <= 5, `${most} pieces of 2 ms in one turn`)
  })

  it('come to everybody: who came later is through before a long one that is under way', async () => {
    const turns = createTurns(LIMITS)
    const order: string[] = []
    const long = work(turns, 10_000, () => undefined).then(() => order.push('long'))
    const short = work(turns, 20, () => undefined).then(() => order.push('short'))
    await Promise.all([long, short])
    assert.deepEqual(order, ['short', 'long'])
  })

  it('let a piece through that is larger than a turn, in its turn', { timeout: 300_000 }, async () => {
    for (const limits of [
      { ...LIMITS, bytes: 10 },
      { ...LIMITS, records: 0 },
    ]) {
      const turns = createTurns(limits)
      const count = countPerTurn()
      await Promise.all([1, 2, 3].map(() => work(turns, 4, () => count.add(1), 1_000)))
      const { total } = count.close()
      assert.equal(total, 12)
    }
  })

  it('leave timers their time', async () => {
    const turns = createTurns(LIMITS)
    let fired = false
    setTimeout(() => {
      fired = true
    }, 1)
    for (let piece = 0; !fired; piece += 1) {
      assert.ok(piece < 10_000_000, 'the timer never fires')
      await turns.spend(1)
    }
  })
})
