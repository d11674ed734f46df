// The bodies of event streams, without a socket: how many may be open, what silence says, what is written together.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createEventWriter, type EndReason } from '../../src/api/sse.ts'
import { createStreams } from '../../src/api/streams.ts'
import type { MadhavaError } from '../../src/core/errors.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import type { WatchEvent } from '../../src/core/watch.ts'
import { silentLog } from '../../src/platform/log.ts'
import { newTaskOf } from '../support/new-task.ts'
import { soon } from '../support/soon.ts'

describe('open streams', () => {
  const never = async function* (signal: AbortSignal): AsyncGenerator<WatchEvent[], void, void> {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    yield* []
  }
  const bodyOf = (
    streams: ReturnType<typeof createStreams>,
    events: (signal: AbortSignal) => AsyncGenerator<WatchEvent[], void, void>,
    client = new AbortController().signal,
  ) => {
    const stream = streams.open(client)
    return streams
      .body({
        stream,
        events: events(stream.signal),
        write: createEventWriter((task: TaskRecord) => task.id),
        ended: (): EndReason => 'final',
        log: silentLog(),
        requestId: 'r',
      })
      .getReader()
  }
  const textOf = async (reader: ReadableStreamDefaultReader<Uint8Array>) =>
    Buffer.from((await soon(reader.read(), 'a chunk')).value ?? []).toString()

  it('are counted, bounded, and free again when the client leaves or the stream ends', async () => {
    const streams = createStreams(new AbortController().signal, { open: 2, heartbeatMs: 60_000, chunk: 100 })
    const client = new AbortController()
    const stream = streams.open(client.signal)
    const reader = bodyOf(streams, never)
    assert.throws(
      () => streams.open(new AbortController().signal),
      (error: MadhavaError) => error.code === 'TOO_MANY_STREAMS',
    )
    client.abort()
    assert.equal(stream.signal.aborted, true)
    assert.equal(streams.count(), 1)
    await textOf(reader)
    await reader.cancel()
    assert.equal(streams.count(), 0)
    streams.open(AbortSignal.abort())
    assert.equal(streams.count(), 0)
    const ended = bodyOf(streams, async function* () {})
    await textOf(ended)
    assert.match(await textOf(ended), /event: end/)
    assert.equal((await ended.read()).done, true)
    assert.equal(streams.count(), 0)
  })

  it('are shared out: one client takes no more than its part, the others find theirs', () => {
    const limits = { open: 4, perClient: 2, heartbeatMs: 60_000, chunk: 100 }
    const streams = createStreams(new AbortController().signal, limits)
    const open = (owner: string | null) => streams.open(new AbortController().signal, owner)
    const [first] = [open('a'), open('a')]
    assert.throws(
      () => open('a'),
      (error: MadhavaError) => error.code === 'TOO_MANY_STREAMS' && /of one client/.test(error.message),
    )
    open('b')
    first?.close()
    first?.close()
    open('a')
    assert.throws(() => open('a'))
    open('b')
    assert.throws(() => open('c'))
  })

  it('say in silence that they live', async () => {
    const streams = createStreams(new AbortController().signal, { open: 2, heartbeatMs: 5, chunk: 100 })
    const reader = bodyOf(streams, never)
    assert.match(await textOf(reader), /^retry/)
    for (let beat = 0; beat < 5; beat += 1) assert.equal(await textOf(reader), ': \n\n')
    await reader.cancel()
  })

  it('write what is at hand together, but no more than a chunk', async () => {
    const streams = createStreams(new AbortController().signal, { open: 2, heartbeatMs: 60_000, chunk: 500 })
    const task = newTaskOf({ kind: 'echo', createdAt: '2026-01-31T12:00:00.000Z' })
    const reader = bodyOf(streams, async function* () {
      yield Array.from({ length: 10 }, (_, n) => ({ type: 'task', cursor: `${n}`, task }))
      yield [{ type: 'place', cursor: 'p' }]
    })
    await textOf(reader)
    const chunks: string[] = []
    for (let text = await textOf(reader); text !== ''; text = await textOf(reader)) chunks.push(text)
    assert.ok(chunks.length >= 4)
    assert.ok(chunks.every(chunk => chunk.length < 1000))
    const all = chunks.join('')
    assert.deepEqual(
      [...all.matchAll(/^id: (.*)$/gm)].map(found => found[1]),
      [...'0123456789', 'p'],
    )
    assert.match(all, /\n\nid: p\n\nevent: end\n/)
  })
})

describe('the words beside an event', () => {
  const write = createEventWriter((task: TaskRecord) => task.id)
  const wordsOf = (change: Partial<TaskRecord>): string => {
    const task = {
      ...newTaskOf({ kind: 'echo', createdAt: '2026-01-31T12:00:00.000Z' }),
      ...change,
    } as TaskRecord
    const [words = ''] = write({ type: 'task', cursor: 'c', task }).split('\n')
    return words
  }

  it('hold no half of a sign, wherever a text is cut', () => {
    for (let length = 117; length <= 122; length += 1) {
      const words = wordsOf({ title: `${'x'.repeat(length)}😀` })
      assert.ok(words.isWellFormed(), `${length}`)
      assert.doesNotMatch(words, /\ufffd/, `${length}`)
      assert.equal(words.includes('😀'), length <= 118, `${length}`)
    }
    assert.ok(wordsOf({ title: 'half \ud83d a sign' }).isWellFormed())
  })

  it('hold no line ends and nothing that steers a terminal', () => {
    assert.match(wordsOf({ title: 'a\r\nevent: end\u001b[2J\u202eb' }), /\(a event: end \[2J b\)$/)
  })
})
