// Who runs first, and where: priorities under load, and long tasks that keep nothing from the short ones.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isRunning } from '../../src/core/task.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'

const LIMIT = { timeout: 600_000 }

describe('the order of tasks', LIMIT, () => {
  let world: World
  before(async () => {
    world = await openWorld({ workers: 1, slots: 1 })
    await world.submit()
    await world.allDone()
  })
  after(() => world.close())

  /** Ids in the order in which their runs began. */
  const began = (): string[] =>
    readdirSync(world.folder)
      .flatMap(name => readFileSync(path.join(world.folder, name), 'utf8').split('\n'))
      .map(line => line.split(' '))
      .filter(words => words[3] === 'start')
      .sort((a, b) => Number(a[4]) - Number(b[4]))
      .map(([id = '']) => id)

  it('is by priority, then by age, whatever the order of the submits', LIMIT, async () => {
    const blocker = await world.submit({ ms: 60_000 }, { priority: 9 })
    world.want(blocker, 'REVOKED')
    await until('the slot is busy', async () => isRunning((await world.get(blocker)).status))
    const submitted: { id: string; priority: number }[] = []
    for (let n = 0; n < 40; n++) {
      const priority = (n * 7) % 10
      // each takes some milliseconds, so that no two begin in the same
      submitted.push({ id: await world.submit({ ms: 5 }, { priority }), priority })
    }
    await world.cancel(blocker)
    await world.allDone()
    const ids = submitted.map(({ id }) => id)
    assert.deepEqual(
      began().filter(id => ids.includes(id)),
      [...submitted].sort((a, b) => b.priority - a.priority).map(({ id }) => id),
    )
  })

  it('holds under load: an urgent one passes all that wait, again and again', LIMIT, async () => {
    const low: string[] = []
    let stopped = false
    const load = (async () => {
      while (!stopped) {
        if (low.length - began().filter(id => low.includes(id)).length < 30)
          low.push(await world.submit({ ms: 20 }, { priority: 3 }))
        else await new Promise(resolve => setTimeout(resolve, 5))
      }
    })()
    await until('a queue has formed', () => low.length > 30)
    for (let n = 0; n < 10; n++) {
      const before = began().length
      const id = await world.submit({}, { priority: 8 })
      const accepted = began().length
      await until('it ran', async () => (await world.get(id)).status === 'SUCCESS')
      const passed = began().indexOf(id) - accepted
      // the one that is being taken while this one is accepted
      assert.ok(passed <= 2, `${passed} began before it, ${accepted - before} while it was submitted`)
    }
    stopped = true
    await load
    await world.allDone()
  })
})

describe('long and short tasks together', LIMIT, () => {
  let world: World
  before(async () => {
    world = await openWorld({ workers: 3, slots: 2 })
  })
  after(() => world.close())

  it('share the workers: no short one waits for a long one while a slot is free', LIMIT, async () => {
    const long: string[] = []
    for (let n = 0; n < 5; n++) {
      const id = await world.submit({ ms: 600_000 })
      world.want(id, 'REVOKED')
      long.push(id)
    }
    await until('all long ones run', async () =>
      (await Promise.all(long.map(world.get))).every(({ status }) => isRunning(status)),
    )
    const short: string[] = []
    for (let n = 0; n < 60; n++) short.push(await world.submit({ ms: n % 10 }))
    await until('every short one is done', async () => {
      const tasks = await world.all()
      return tasks.every(({ id, status }) => long.includes(id) || status === 'SUCCESS')
    })
    // they ended while all the long ones were still there
    for (const id of long) assert.ok(isRunning((await world.get(id)).status))
    for (const id of long) await world.cancel(id)
    await world.allDone()
  })
})
