// The contract of the AuditTrail port: what every adapter must do. Written to the promises in src/core/audit.ts.
// `auditProcessesSuite` has the part for stores that live over several processes.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type AuditEntry, type AuditFilter, fitsAudit, UNKNOWN } from '../../src/core/audit.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { entryOf } from '../support/audit-entries.ts'
import { type Child, startChild } from '../support/child.ts'
import { generator, newSeed } from '../support/generator.ts'
import type { AuditLine } from '../support/store-audit.ts'
import { until } from '../support/until.ts'
import { SAMPLE } from './store/sample.ts'
import { at, type Check, checkIn, refused, type StoreFactory } from './store/world.ts'
import type { ProcessStoreFactory, ProcessWorld } from './store-processes.ts'

/** Everything that fits, page by page. */
export const auditOf = async (
  { audit }: Pick<TaskStore, 'audit'>,
  filter: AuditFilter = {},
  limit = 100,
): Promise<AuditEntry[]> => {
  const found: AuditEntry[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof audit.page>> = await audit.page(filter, { limit, cursor })
    assert.ok(page.entries.length <= limit)
    found.push(...page.entries)
    cursor = page.next
  } while (cursor !== null)
  return found
}

const newestFirst = (entries: readonly AuditEntry[]): AuditEntry[] =>
  entries.toSorted((a, b) => (`${a.at} ${a.id}` < `${b.at} ${b.id}` ? 1 : -1))

const draftOf = (change: Partial<AuditEntry> = {}): Omit<AuditEntry, 'outcome'> => {
  const { outcome: _, ...draft } = entryOf(change)
  return draft
}

const basics = (check: Check): void => {
  check('an entry comes back as it was written, in every store', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const entries = [
      entryOf({ target: 'Mādhava “\u2028\u0001” \n x', at: at(1) }),
      entryOf({ actor: null, address: null, via: 'tool', outcome: 'SCOPE_MISSING', at: at(2) }),
    ]
    await one.audit.add(entries)
    for (const store of [one, other]) assert.deepEqual(await auditOf(store), entries.toReversed())
  })

  check('pages of any size have every entry once, the newest first, whoever added it when', async world => {
    const stores = [await world.open(), await world.open(), await world.open()]
    const seconds = [5, 1, 9, 5, 5, 86_400, 3, 86_401, 7, 2, 200_000, 5, 86_400]
    const entries = seconds.map(second => entryOf({ at: at(second) }))
    for (const [n, entry] of entries.entries()) await stores[n % 3]?.audit.add([entry], { soon: n % 2 === 0 })
    const many = Array.from({ length: 40 }, () => entryOf({ at: at(5) }))
    await stores[0]?.audit.add(many)
    const all = newestFirst([...entries, ...many])
    for (const limit of [1, 2, 7, 52, 53, 54])
      assert.deepEqual(await auditOf(stores[1] as TaskStore, {}, limit), all, `pages of ${limit}`)
  })

  check('entries that come later do not disturb who reads on', async world => {
    const store = await world.open()
    const entries = [1, 2, 3, 4].map(second => entryOf({ at: at(second) }))
    await store.audit.add(entries)
    const first = await store.audit.page({}, { limit: 2, cursor: null })
    await store.audit.add([entryOf({ at: at(9) })])
    const second = await store.audit.page({}, { limit: 2, cursor: first.next })
    assert.deepEqual([...first.entries, ...second.entries], newestFirst(entries))
    assert.equal(second.next, null)
  })

  check('a page far back begins where the one before ended, however much is newer', async world => {
    const store = await world.open()
    const entries = Array.from({ length: 3_000 }, (_, n) =>
      entryOf({ at: at(n), target: 'x'.repeat((n * 31) % 200) }),
    )
    await store.audit.add(entries)
    const all = newestFirst(entries)
    for (const back of [1, 700, 1_499, 2_990]) {
      const { next } = await store.audit.page({ to: all[back - 1]?.at }, { limit: 1, cursor: null })
      const page = await store.audit.page({}, { limit: 5, cursor: next })
      assert.deepEqual(page.entries, all.slice(back + 1, back + 6))
    }
  })

  check('a filter keeps what fits all that it names', async world => {
    const store = await world.open()
    const random = generator(newSeed())
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
    const ann = { account: 'a-1', name: 'ann' }
    const entries = Array.from({ length: 60 }, (_, n) =>
      entryOf({
        at: at(n * 3_000),
        actor: pick([ann, { account: 'b-2', name: 'bob' }, null]),
        action: pick(['task.submit', 'login', 'key.create']),
        target: pick(['one', 'one more', 'ones', null]),
        outcome: pick(['done', UNKNOWN]),
      }),
    )
    await store.audit.add(entries)
    const filters: AuditFilter[] = [
      { actor: 'ann' },
      { actor: 'a-1' },
      { actor: '' },
      { actions: ['login', 'key.create'] },
      { actions: [] },
      { target: 'one' },
      { outcome: UNKNOWN },
      { from: at(30_000) },
      { to: at(90_000) },
      { from: at(30_000), to: at(120_000), actor: 'bob', target: 'one' },
      { from: at(120_000), to: at(30_000) },
    ]
    for (const filter of filters)
      assert.deepEqual(
        await auditOf(store, filter, 4),
        newestFirst(entries.filter(entry => fitsAudit(entry, filter))),
        JSON.stringify(filter),
      )
    const [first] = entries
    assert.deepEqual(await auditOf(store, { to: first?.at }), [])
    assert.deepEqual(await auditOf(store, { from: first?.at, to: at(1) }), [first])
  })

  check('what was begun is seen when it has ended, and never when nothing was done', async world => {
    const store = await world.open()
    const [done, nothing] = [draftOf({ action: 'task.delete' }), draftOf()]
    await store.audit.begin(done)
    await store.audit.begin(nothing)
    assert.deepEqual(await auditOf(store), [])
    const entry = { ...done, at: at(400_000_000), outcome: 'done' }
    await store.audit.end(done.id, entry)
    await store.audit.end(nothing.id, null)
    assert.deepEqual(await auditOf(store), [entry])
    assert.equal(await store.audit.settle(), 0)
  })

  check('settle leaves alone what a living process has begun', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const draft = draftOf()
    await one.audit.begin(draft)
    assert.equal(await other.audit.settle(), 0)
    assert.equal(await one.audit.settle(), 0)
    await one.audit.end(draft.id, { ...draft, outcome: 'done' })
    assert.deepEqual(await auditOf(other), [{ ...draft, outcome: 'done' }])
  })

  check('removeBefore removes what is older than that day, and nothing that is younger', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const [day, noon] = [86_400, 43_200]
    const [old, young, later] = [day - 1, day + noon, 3 * day].map(second => entryOf({ at: at(second) }))
    assert.ok(old && young && later)
    await one.audit.add([old])
    await other.audit.add([young, later])
    await other.audit.removeBefore(at(day + noon))
    assert.deepEqual(await auditOf(one), [later, young])
    // who wrote what is gone goes on
    const again = entryOf({ at: at(day - 1) })
    await one.audit.add([again])
    assert.deepEqual(await auditOf(other, { to: at(day) }), [again])
  })

  check('many entries at the same time are all there', async world => {
    const stores = [await world.open(), await world.open()]
    const entries = Array.from({ length: 200 }, () => entryOf())
    await Promise.all(entries.map((entry, n) => stores[n % 2]?.audit.add([entry], { soon: n % 5 === 0 })))
    assert.deepEqual(await auditOf(stores[0] as TaskStore), newestFirst(entries))
  })

  check('a cursor that is none is refused', async world => {
    const store = await world.open()
    for (const cursor of ['', 'x', 'ZZZZ', Buffer.from('2026-13-01T00:00:00.000Z x').toString('base64url')])
      await refused(() => store.audit.page({}, { limit: 1, cursor }), 'BAD_CURSOR')
  })

  check('after a close every call is refused', async world => {
    const store = await world.open()
    await store.close()
    const { audit } = store
    for (const call of [
      () => audit.begin(draftOf()),
      () => audit.end(entryOf().id, null),
      () => audit.add([entryOf()]),
      () => audit.page({}, { limit: 1, cursor: null }),
      () => audit.settle(),
      () => audit.removeBefore(at(0)),
    ])
      await refused(call, 'STORE_UNAVAILABLE')
  })
}

export const auditSuite = (name: string, factory: StoreFactory): void => {
  describe(`audit ${name}`, () => {
    basics(checkIn(factory))
  })
}

const kills = (check: Check<ProcessWorld>): void => {
  check(
    'kill -9 of writers: every acknowledged entry is there once, and all that was begun has an entry',
    async world => {
      const [store, other] = [await world.open(), await world.open()]
      const [seed, random] = (made => [made, generator(made)] as const)(newSeed())
      const begin = () => startChild<AuditLine>('store-child.ts', { place: world.place, role: 'audit' })
      const children: Child<AuditLine>[] = [begin(), begin()]
      const all = [...children]
      try {
        for (let kill = 0; kill < SAMPLE.documentKills; kill += 1) {
          const next = begin()
          children.push(next)
          all.push(next)
          const victim = children.shift()
          assert.ok(victim)
          await victim.line(line => line.added !== undefined)
          await delay(random() * 50)
          await victim.kill()
        }
      } finally {
        await Promise.all(children.map(child => child.kill()))
      }
      const lines = all.flatMap(child => child.lines)
      const told = new Set(lines.map(line => line.added ?? line.begun ?? ''))
      // two at once, as the sweepers of two workers
      await until('what the dead have begun has entries', async () => {
        await Promise.all([store.audit.settle(), other.audit.settle()])
        const there = new Set((await auditOf(other)).map(({ id }) => id))
        return [...told].every(id => there.has(id))
      })
      const entries = await auditOf(store)
      const ids = entries.map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length, `seed ${seed}: an entry stands there twice`)
      const added = new Set(lines.flatMap(line => line.added ?? []))
      for (const { id, outcome } of entries)
        if (added.has(id)) assert.equal(outcome, 'done', `seed ${seed}: ${id}`)
      assert.equal(await store.audit.settle(), 0)
    },
  )
}

export const auditProcessesSuite = (name: string, factory: ProcessStoreFactory): void => {
  describe(`audit ${name}, several processes`, () => {
    kills(checkIn(factory))
  })
}
