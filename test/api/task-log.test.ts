// GET /task/{id}/log: text with its marks, entries, and the events of a follower.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { LogEntries } from '../../src/client/client.ts'
import { succeed } from '../../src/core/moves.ts'
import { anybody } from '../support/actors.ts'
import { until } from '../support/until.ts'
import { writesLog } from '../support/writes-log.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const T = '2026-01-31T12:00:00.000Z'
const clock = () => new Date(T)

let door: Fixture
beforeEach(() => {
  door = createFixture()
})
afterEach(() => door.close())

const running = async (): Promise<string> => {
  const { id } = await door.submit('echo', 1)
  await door.run(id)
  return id
}
const end = (id: string) => door.store.move(id, 1, succeed(1, null, T))
const get = (path: string, headers: Record<string, string> = {}) => door.app.request(path, { headers })

/** The events of a stream, as `id event data`; comments left out. */
const eventsOf = (text: string): { id: string; event: string; data: Record<string, unknown> }[] =>
  text.split('\n\n').flatMap(block => {
    const field = (name: string) =>
      block
        .split('\n')
        .find(line => line.startsWith(`${name}: `))
        ?.slice(name.length + 2) ?? ''
    return field('event') === ''
      ? []
      : [{ id: field('id'), event: field('event'), data: JSON.parse(field('data')) }]
  })
const followed = async (id: string, since = '') => {
  const response = await get(`/task/${id}/log?follow=1`, since === '' ? {} : { 'last-event-id': since })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
  return eventsOf(await response.text())
}

describe("a task's log", () => {
  it('is entries with number, time, attempt and level, after any line', async () => {
    const id = await running()
    const { log } = writesLog(door.store, id, { attempt: 3, clock })
    log.add('one')
    log.add('two', 'warn')
    await log.flush()
    const whole = await jsonOf<LogEntries>(await get(`/task/${id}/log?format=json`))
    assert.deepEqual(whole, {
      entries: [
        { n: 1, at: T, attempt: 3, level: 'info', text: 'one' },
        { n: 2, at: T, attempt: 3, level: 'warn', text: 'two' },
      ],
      last: 2,
      ended: false,
    })
    const rest = await jsonOf<LogEntries>(await get(`/task/${id}/log?format=json&since=1`))
    assert.deepEqual(rest, { ...whole, entries: whole.entries.slice(1) })
    await end(id)
    const none = await jsonOf<LogEntries>(await get(`/task/${id}/log?format=json&since=2`))
    assert.deepEqual(none, { entries: [], last: 2, ended: true })
    assert.equal(await (await get(`/task/${id}/log`)).text(), `${T} one\n${T} two\n`)
    for (const query of ['format=xml', 'format=json&since=x', 'follow=1&since=two'])
      assert.equal((await get(`/task/${id}/log?${query}`)).status, 400, query)
  })

  it('keeps the first lines and the last, with a mark between them', async () => {
    const id = await running()
    const { say, log } = writesLog(door.store, id, { clock })
    await say('the first')
    log.skip(5)
    await say(...Array.from({ length: 13_344 }, (_, n) => `line ${n + 7}`))
    const { entries, last } = await jsonOf<LogEntries>(await get(`/task/${id}/log?format=json`))
    assert.equal(last, 13_350)
    assert.deepEqual(entries[1], { omitted: 5, from: 2, to: 6 })
    const marks = entries.filter(entry => 'omitted' in entry)
    assert.deepEqual(marks[1], { omitted: 12_345, from: 206, to: 12_550 })
    assert.equal(entries.length, 1_002)
    const text = await (await get(`/task/${id}/log`)).text()
    assert.match(text, /line 205\n… 12,345 lines left out …\n\S+ line 12551\n/)
  })

  it('goes on in number in the next attempt, also behind the text of an earlier version', async () => {
    const id = await running()
    await door.store.putBlob(id, 'log.txt', Buffer.from(`${T} of old\n`))
    await writesLog(door.store, id, { clock }).say('first')
    await writesLog(door.store, id, { attempt: 2, clock }).say('second')
    const { entries } = await jsonOf<LogEntries>(await get(`/task/${id}/log?format=json`))
    assert.deepEqual(
      entries.map(entry => 'text' in entry && [entry.n, entry.attempt, entry.text]),
      [
        [1, null, 'of old'],
        [2, 1, 'first'],
        [3, 2, 'second'],
      ],
    )
    assert.deepEqual(
      (await door.store.listBlobs(id)).map(({ name }) => name),
      ['log.ndjson'],
    )
  })
})

describe('who follows the log', () => {
  it('of an ended task gets all of it, the task and the end; resumes anywhere; and is told that it is over', async () => {
    const id = await running()
    await writesLog(door.store, id, { clock }).say('one', 'two', 'three')
    await end(id)
    const all = await followed(id)
    assert.deepEqual(
      all.map(({ id: at, event }) => `${event} ${at}`),
      ['line 1', 'line 2', 'line 3', 'task 3-1-2', 'end '],
    )
    assert.deepEqual(all[0]?.data, { n: 1, at: T, attempt: 1, level: 'info', text: 'one' })
    assert.deepEqual([all[3]?.data.status, all[4]?.data], ['SUCCESS', { reason: 'final' }])
    assert.deepEqual(await followed(id, '2'), all.slice(2))
    const over = await get(`/task/${id}/log?follow=1&since=3-1-2`)
    assert.equal(over.status, 204)
    await door.service.retry(anybody(), id)
    const again = await get(`/task/${id}/log?follow=1&since=3-1-2`)
    assert.equal(again.status, 200)
    await again.body?.cancel()
  })

  it('gets each line once and in order while the task runs, and a mark for what is kept no more', async () => {
    const { id } = await door.submit('echo', 1)
    let text = ''
    const response = await get(`/task/${id}/log?follow=1`)
    const over = (async () => {
      for await (const bytes of response.body as ReadableStream<Uint8Array>) text += Buffer.from(bytes)
    })()
    await door.run(id)
    const { say } = writesLog(door.store, id, { clock })
    for (let n = 1; n <= 5; n += 1) {
      await say(`line ${n}`)
      await until(`line ${n} is told`, () => eventsOf(text).length === n)
    }
    // more than is kept, between two looks
    await say(...Array.from({ length: 3_000 }, (_, n) => `line ${n + 6}`))
    await end(id)
    await over
    const told = eventsOf(text)
    const names = told.map(({ event }) => event)
    assert.deepEqual(names.slice(-2), ['task', 'end'])
    let next = 1
    for (const { id: at, event, data } of told.slice(0, -2)) {
      assert.equal(event === 'omitted' ? data.from : data.n, next)
      next = Number(at) + 1
    }
    assert.equal(next, 3_006)
    assert.equal(names.filter(name => name === 'omitted').length, 1)
  })

  it('is told that the task was removed, and of no task that there is 404', async () => {
    const id = await running()
    const response = await get(`/task/${id}/log?follow=1`)
    const text = response.text()
    await end(id)
    assert.match(await text, /"reason":"final"/)
    await door.service.purge(anybody(), id)
    assert.equal((await get(`/task/${id}/log?follow=1`)).status, 404)
  })
})
