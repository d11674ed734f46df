// The client when answers are cut, silent or late: what it asks for again, and when it gives up.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Client, type ClientOptions, ConnectionError, createClient } from '../../src/client/client.ts'
import { newTask as record } from '../suites/store/world.ts'
import { soon } from '../support/soon.ts'

const clientOf = (options: Partial<ClientOptions>): Client =>
  createClient({ baseUrl: '', patienceMs: 30_000, ...options })

describe('the patience of the client', { timeout: 300_000 }, () => {
  /** The body of an answer that is cut after what is given, at once or when it is told. */
  const cut = (text: string, when: Promise<unknown> = Promise.resolve()): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text))
        void when.then(() => controller.error(new TypeError('terminated')))
      },
    })

  it('asks again when an answer is cut off, and gives up on one that does not go on', async () => {
    const task = record()
    const half = () => new Response(cut('{"id":'), { status: 200 })
    for (const call of ['submit', 'get'] as const) {
      let tries = 0
      const again = clientOf({
        fetch: async () => {
          tries += 1
          return tries === 1 ? half() : Response.json(task)
        },
      })
      const answer = call === 'submit' ? again.submit({ kind: 'echo' }) : again.get(task.id)
      assert.deepEqual([await answer, tries], [task, 2])
    }
    await assert.rejects(
      clientOf({ patienceMs: 0, fetch: async () => half() }).cancel(task.id),
      ConnectionError,
    )
    const silent = clientOf({
      patienceMs: 0,
      timeoutMs: 50,
      fetch: async (_url, init) =>
        new Response(
          new ReadableStream({
            start: controller =>
              init?.signal?.addEventListener('abort', () => controller.error(init.signal?.reason)),
          }),
        ),
    })
    await assert.rejects(soon(silent.get(task.id), 'the end'), ConnectionError)
  })

  it('waits for a long poll as long as it may last, and longer than for other answers', async () => {
    const task = record()
    const answer = (status: string): Response =>
      Response.json({ ...task, status }, { headers: { etag: `"${status}"` } })
    let polls = 0
    const slow = clientOf({
      patienceMs: 0,
      timeoutMs: 50,
      fetch: async (_url, init) => {
        polls += 1
        if (polls === 1) return answer('PENDING')
        return new Promise<Response>((resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
          setTimeout(() => resolve(answer('SUCCESS')), 500)
        })
      },
    })
    assert.equal((await slow.wait(task.id)).status, 'SUCCESS')
    polls = 1
    await assert.rejects(slow.get(task.id), /no answer within 50 ms/)
  })

  it('watches over breaks that lie further apart than its patience, also where nothing happened', async () => {
    const task = record()
    const event = (status: string): string =>
      `id: 0-0\nevent: task\ndata: ${JSON.stringify({ ...task, status })}\n\n`
    let tries = 0
    const watching = clientOf({
      patienceMs: 1_100,
      fetch: async () => {
        tries += 1
        const body = [
          () => cut(event('PENDING'), new Promise(resolve => setTimeout(resolve, 50))),
          () => cut(': still there\n\n', new Promise(resolve => setTimeout(resolve, 1_200))),
          () => event('SUCCESS'),
        ][tries - 1]
        return new Response(body?.(), { headers: { 'content-type': 'text/event-stream' } })
      },
    })
    const seen: string[] = []
    for await (const { status } of watching.watch(task.id)) seen.push(status)
    assert.deepEqual([seen, tries], [['PENDING', 'SUCCESS'], 3])
  })

  it('waits as long as the server asks for', async () => {
    const times: number[] = []
    const busy = clientOf({
      fetch: async () => {
        times.push(performance.now())
        return times.length === 1
          ? new Response('{}', { status: 503, headers: { 'retry-after': '1' } })
          : Response.json({ kinds: [] })
      },
    })
    assert.deepEqual(await busy.kinds(), [])
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990)
  })
})
