// The part of the Documents contract that takes several processes: writers that race, and SIGKILL in the middle.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Document } from '../../src/core/documents.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { type Child, startChild } from '../support/child.ts'
import { generator, newSeed } from '../support/generator.ts'
import { COUNTED, type CountLine } from '../support/store-documents.ts'
import { padding } from '../support/store-roles.ts'
import { until } from '../support/until.ts'
import { SAMPLE } from './store/sample.ts'
import { type Check, checkIn } from './store/world.ts'
import type { ProcessStoreFactory, ProcessWorld } from './store-processes.ts'

/** Reads a document whenever the feed tells of it; null while it is not there. */
const keepReading = (store: TaskStore, since: string) => {
  const known = new Map<string, Document | null>()
  const stopping = new AbortController()
  const reading = (async () => {
    for await (const change of store.changes(since, stopping.signal))
      if (change.type === 'document')
        known.set(change.name, await store.documents.get(change.collection, change.name))
  })()
  return {
    known,
    async stop() {
      stopping.abort()
      await reading
    },
  }
}

const kills = (check: Check<ProcessWorld>): void => {
  check(
    'kill -9 of writers: no acknowledged write is lost, none is torn, and readers of the feed know the last',
    async world => {
      const store = await world.open()
      const reader = keepReading(store, await store.cursor())
      const [seed, random] = (made => [made, generator(made)] as const)(newSeed())
      const begin = () => startChild<CountLine>('store-child.ts', { place: world.place, role: 'documents' })
      const children: Child<CountLine>[] = [begin(), begin()]
      const all = [...children]
      const acknowledged = (name: string): number =>
        all.flatMap(child => child.lines).filter(line => line.name === name).length
      try {
        for (let kill = 0; kill < SAMPLE.documentKills; kill += 1) {
          const next = begin()
          children.push(next)
          all.push(next)
          const victim = children.shift()
          assert.ok(victim)
          // it has got through among the others, and is then in the middle of something
          await victim.line(line => line.name !== undefined)
          await delay(random() * 50)
          await victim.kill()
        }
        // the others get on after the last one
        const before = all.flatMap(child => child.lines).length
        await until('the others count on', () => all.flatMap(child => child.lines).length > before + 5)
      } finally {
        await Promise.all(children.map(child => child.kill()))
      }
      // another process tells the feed of what nobody could tell any more
      const last = await world.open()
      await last.documents.removeExpired(new Date(0).toISOString())
      for (const name of COUNTED) {
        const there = await last.documents.get('accounts', name)
        assert.ok(there, name)
        const sum = Number(there.data.sum)
        const told = acknowledged(name)
        // a victim may have been killed between its write and its word
        assert.ok(
          sum >= told && sum <= told + all.length,
          `seed ${seed}: ${sum} counted, ${told} acknowledged`,
        )
        assert.equal(there.data.text, padding(sum))
        await until('the reader of the feed knows it', () => reader.known.get(name)?.rev === there.rev)
      }
      await reader.stop()
    },
  )
}

export const documentsProcessesSuite = (name: string, factory: ProcessStoreFactory): void => {
  describe(`documents ${name}, several processes`, () => {
    kills(checkIn(factory))
  })
}
