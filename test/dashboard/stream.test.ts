// The one event stream of a page: many topics in one, resumed without a gap, and bounded.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { healthTopic } from '../../src/dashboard/stream/health-topic.ts'
import { idOf, mergeTopics, type PageEvent, placesIn } from '../../src/dashboard/stream/merge.ts'
import { allTasksTopic, oneTaskTopic, type TaskChanges } from '../../src/dashboard/stream/task-topics.ts'
import { statePolled, type Topic } from '../../src/dashboard/stream/topic.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { person } from '../support/actors.ts'

const ACTOR = person('operator', 'admin', 'dashboard')

describe('the stream of a page', { timeout: 300_000 }, () => {
  let fixture: Fixture
  let leaving: AbortController
  beforeEach(() => {
    fixture = createFixture()
    leaving = new AbortController()
  })
  afterEach(async () => {
    leaving.abort()
    await fixture.close()
  })

  /** Reads events one by one. */
  const open = (topics: Record<string, Topic>, since: string | null = null, retryMs = 1) => {
    const events = mergeTopics({
      topics: Object.entries(topics).map(([name, topic]) => ({
        name,
        open: topic,
        argument: name.includes(':') ? name.slice(name.indexOf(':') + 1) : '',
      })),
      since,
      question: { actor: ACTOR, signal: leaving.signal },
      retryMs,
    })
    const waiting: PageEvent[] = []
    return {
      events,
      /** The next event of that name; what comes before it is passed over. */
      async next(event: string): Promise<PageEvent> {
        for (;;) {
          const found = waiting.shift()
          if (found?.event === event) return found
          if (found) continue
          const { value, done } = await events.next()
          if (done || !value) throw new Error(`The stream ended before ${event}`)
          waiting.push(...value)
        }
      },
    }
  }
  const tasksOf = (event: PageEvent): TaskChanges => event.data as TaskChanges

  it('tells the tasks that fit, of others only the ids, and removals', async () => {
    const stream = open({ 'tasks:kind=echo': allTasksTopic(fixture.service) })
    assert.deepEqual((await stream.next('tasks-live')).data, { resumed: false })
    const fits = await fixture.submit('echo', 1)
    const other = await fixture.submit('calcpi', { digits: 3, method: 'plain' })
    const seen = { tasks: [] as string[], others: [] as string[] }
    while (seen.tasks.length < 1 || seen.others.length < 1) {
      const { tasks, others } = tasksOf(await stream.next('tasks'))
      seen.tasks.push(...tasks.map(({ id }) => id))
      seen.others.push(...others)
    }
    assert.deepEqual(seen, { tasks: [fits.id], others: [other.id] })
    await fixture.service.cancel(ACTOR, fits.id)
    await fixture.service.purge(ACTOR, fits.id)
    const removed: string[] = []
    while (removed.length === 0) removed.push(...tasksOf(await stream.next('tasks')).removed)
    assert.deepEqual(removed, [fits.id])
  })

  it('goes on where it was: nothing that changed meanwhile is missing', async () => {
    const topics = { 'tasks:': allTasksTopic(fixture.service) }
    const first = open(topics)
    const { id } = await first.next('tasks-live')
    await first.events.return()
    const made = []
    for (let count = 0; count < 250; count += 1) made.push((await fixture.submit('echo', count)).id)
    const again = open(topics, id)
    const told = new Set<string>()
    while (told.size < made.length)
      for (const task of tasksOf(await again.next('tasks')).tasks) told.add(task.id)
    assert.deepEqual([...told].sort(), made.sort())
    assert.deepEqual((await again.next('tasks-live')).data, { resumed: true })
  })

  it('sends no list where the place is too old, but says that the page must ask', async () => {
    for (let count = 0; count < 30; count += 1) await fixture.submit('echo', count)
    const stream = open({ 'tasks:': allTasksTopic(fixture.service) }, idOf(new Map([['tasks:', 'nonsense']])))
    const [first] = (await stream.events.next()).value ?? []
    assert.deepEqual([first?.event, first?.data], ['tasks-live', { resumed: false }])
  })

  it('follows one task, through its end and a retry, up to its removal', async () => {
    const { id } = await fixture.submit('echo', 1)
    const name = `task:${id}`
    const stream = open({ [name]: oneTaskTopic(fixture.service) })
    const statusOf = (event: PageEvent): string => (event.data as { status: string }).status
    const first = await stream.next('task')
    assert.equal(statusOf(first), 'PENDING')
    await fixture.service.cancel(ACTOR, id)
    assert.equal(statusOf(await stream.next('task')), 'REVOKED')
    await fixture.service.retry(ACTOR, id)
    const last = await stream.next('task')
    assert.equal(statusOf(last), 'PENDING')
    const resumed = open({ [name]: oneTaskTopic(fixture.service) }, last.id)
    await fixture.service.cancel(ACTOR, id)
    assert.equal(statusOf(await resumed.next('task')), 'REVOKED')
    await fixture.service.purge(ACTOR, id)
    assert.deepEqual((await resumed.next('task-removed')).data, { id })
  })

  it('ends a topic that cannot be, opens one again that failed, and goes on with the others', async () => {
    let tries = 0
    const failing: Topic = async function* () {
      tries += 1
      if (tries < 3) throw new MadhavaError('STORE_UNAVAILABLE', 'no store')
      yield [{ event: 'well', data: 1, place: 'here' }]
    }
    const stream = open({
      failing,
      'task:0190a2b8-7b3c-7def-8123-456789abcdef': oneTaskTopic(fixture.service),
      'tasks:nothing=1': allTasksTopic(fixture.service),
    })
    const told: unknown[] = []
    let well: PageEvent | null = null
    while (told.length < 4 || !well) {
      const { value, done } = await stream.events.next()
      assert.ok(!done && value)
      for (const event of value) {
        if (event.event === 'topic')
          told.push([event.topic.split(':')[0], (event.data as { code: string }).code])
        else well = event
      }
    }
    assert.deepEqual(told.map(String).sort(), [
      'failing,',
      'failing,STORE_UNAVAILABLE',
      'task,TASK_NOT_FOUND',
      'tasks,BAD_REQUEST',
    ])
    assert.equal(well.id, idOf(new Map([['failing', 'here']])))
    assert.equal(tries, 3)
  })

  it('asks a topic for more only when the last was read', async () => {
    let made = 0
    const endless: Topic = async function* () {
      for (;;) {
        made += 1
        yield [{ event: 'piece', data: made }]
      }
    }
    const stream = open({ endless })
    for (let count = 0; count < 5; count += 1) await stream.next('piece')
    assert.ok(made <= 7, `${made} were made for 5 that were read`)
  })

  it('says what is away when that changes', async () => {
    let failed = true
    const health = healthTopic({
      readiness: async () => ({ ok: true, checks: { queue: { status: 'degraded', reason: 'refused' } } }),
      supervisor: async () => {
        if (failed) throw new Error('gone')
      },
    })
    const stream = open({ health })
    assert.deepEqual((await stream.next('health')).data, {
      troubles: [
        { part: 'queue', status: 'degraded', reason: 'refused' },
        { part: 'supervisor', status: 'failed', reason: 'gone' },
      ],
    })
    failed = false
    const { troubles } = (await stream.next('health')).data as { troubles: unknown[] }
    assert.equal(troubles.length, 1)
  })

  it('reads a polled state once for all who listen', async () => {
    let reads = 0
    const state = statePolled('state', 50, async () => {
      reads += 1
      return reads
    })
    const streams = [open({ state }), open({ state }), open({ state })]
    for (let count = 0; count < 3; count += 1) await Promise.all(streams.map(stream => stream.next('state')))
    assert.ok(reads <= 6, `${reads} readings`)
  })

  it('writes places as an id, and back', () => {
    const places = new Map([
      ['tasks:q=a&b=ü', '1,2;3=4'],
      ['task:1', '7-9'],
    ])
    assert.deepEqual(placesIn(idOf(places)), places)
    assert.doesNotMatch(idOf(places) ?? '', /[\r\n\0]/)
    assert.equal(idOf(new Map()), null)
    assert.deepEqual(placesIn(null), new Map())
  })
})
