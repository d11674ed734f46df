// Racing readers and racing workers in processes of their own.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { compareVersions } from '../../../src/core/task.ts'
import { startChild } from '../../support/child.ts'
import { flaw, type Version } from '../../support/store-roles.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from '../store/sample.ts'
import { add, type Check, caughtUp, follow, read } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

interface Line {
  reading?: boolean
  working?: boolean
  problem?: string
  reads?: number
  last?: Version[]
  wrote?: Version
  run?: string
  end?: boolean
}

export const races = (check: Check<ProcessWorld>): void => {
  check(
    'no reader in any process sees a record torn, going backwards, or older than what was acknowledged',
    async world => {
      const store = await world.open()
      const { id } = await add(store)
      const readers = Array.from({ length: SAMPLE.readers }, () =>
        startChild<Line>('store-child.ts', { place: world.place, role: 'read', ids: [id] }),
      )
      await Promise.all(readers.map(reader => reader.line(line => line.reading === true)))
      const follower = follow(store, await store.cursor())
      const writer = startChild<Line>('store-child.ts', {
        place: world.place,
        role: 'move',
        id,
        moves: SAMPLE.moves,
      })
      let ended = false
      writer
        .line(line => line.end === true)
        .then(
          () => {
            ended = true
          },
          () => {
            ended = true
          },
        )
      await writer.line(line => line.wrote !== undefined)
      let looks = 0
      let before = await read(store, id)
      while (!ended) {
        const [, claim = 0, rev = 0] = writer.lines.at(-1)?.wrote ?? []
        const task = await read(store, id)
        assert.ok(compareVersions({ claim, rev }, task) <= 0, 'at least what was acknowledged')
        assert.ok(compareVersions(before, task) <= 0, 'not older than the read before')
        assert.equal(flaw(task), null)
        before = task
        looks += 1
        if (looks % 5 === 0) await delay(1)
      }
      await writer.stop()
      const last = await read(store, id)
      assert.equal(last.status, 'SUCCESS')
      await Promise.all(readers.map(reader => reader.stop()))
      for (const reader of readers) {
        assert.deepEqual(
          reader.lines.filter(line => line.problem),
          [],
        )
        const reads = reader.lines.find(line => line.reads !== undefined)
        assert.ok((reads?.reads ?? 0) > 100, 'the reader raced')
        assert.deepEqual(reads?.last, [[id, last.claim, last.rev, 'SUCCESS']])
      }
      const versions = writer.lines.flatMap(line => (line.wrote ? [line.wrote[2]] : []))
      assert.equal(versions.length, SAMPLE.moves + 1)
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
      )
      assert.ok(looks > 100)
      await caughtUp(follower, store, [id])
      await follower.stop()
    },
  )

  check(
    'workers in several processes run each task exactly once and never write one version twice',
    async world => {
      const store = await world.open()
      const follower = follow(store, await store.cursor())
      const workers = Array.from({ length: SAMPLE.workers }, () =>
        startChild<Line>('store-child.ts', { place: world.place, role: 'work', kinds: ['adding'], slots: 3 }),
      )
      await Promise.all(workers.map(worker => worker.line(line => line.working === true)))
      const ids: string[] = []
      for (let n = 0; n < SAMPLE.tasks; n += 10) {
        const made = await Promise.all(Array.from({ length: 10 }, () => add(store)))
        ids.push(...made.map(task => task.id))
      }
      await until(
        'every task has ended',
        async () => (await store.counts()).byStatus.SUCCESS === ids.length,
        90_000,
      )
      await Promise.all(workers.map(worker => worker.stop()))
      const lines = workers.flatMap(worker => worker.lines)
      const runs = lines.flatMap(line => line.run ?? [])
      assert.deepEqual(runs.toSorted(), ids.toSorted())
      const written = lines.flatMap(line => (line.wrote ? [line.wrote.slice(0, 3).join(' ')] : []))
      assert.equal(new Set(written).size, written.length)
      assert.equal(written.length, ids.length * 3)
      const busy = workers.filter(worker => worker.lines.some(line => line.run))
      assert.ok(busy.length > 1, 'more than one process worked')
      for (const id of ids) {
        const task = await read(store, id)
        assert.deepEqual([task.status, task.claim, task.attempt], ['SUCCESS', 1, 1])
      }
      await caughtUp(follower, store, ids.slice(-20))
      await follower.stop()
    },
  )
}
