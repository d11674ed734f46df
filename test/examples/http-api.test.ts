// The example http-api in a worker, against an API that is busy, broken, slow to say so, or right.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, describe, it, type TestContext } from 'node:test'
import { BLOBS } from '../../src/core/content.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { openPool } from '../worker/runner-fixture.ts'
import { startWorker } from './around.ts'

const threads = openPool(1)
after(() => threads.close())

type Answer = (response: ServerResponse, request: IncomingMessage) => void
const say =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  response =>
    response.writeHead(status, headers).end(body)

/** An API that gives one answer after another, the last one for ever. Retries come without a wait of their own. */
const start = async (t: TestContext, ...answers: Answer[]) => {
  const asked: { at: number; method: string; key: unknown; body: string }[] = []
  const server = createServer(async (request, response) => {
    const at = Date.now()
    const body = await text(request)
    asked.push({ at, method: request.method ?? '', key: request.headers['idempotency-key'], body })
    answers[Math.min(asked.length, answers.length) - 1]?.(response, request)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const world = await startWorker(t, threads)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const retry = { delaySeconds: 0, factor: 1, maxDelaySeconds: 0, retryOn: ['TRY_LATER'] }
  return {
    ...world,
    asked,
    begin: (body?: string) =>
      world.submit('http-api', { url, ...(body === undefined ? {} : { body }) }, { retry }),
  }
}

describe('the example http-api', { timeout: 300_000 }, () => {
  it('gives the answer, and sends a body with a key that all attempts share', async t => {
    const world = await start(t, say(500), say(201, 'made'))
    const id = await world.begin('a body')
    await world.attempt()
    assert.equal((await world.get(id)).status, 'RETRY')
    await world.attempt()
    const { status, result } = await world.get(id)
    assert.deepEqual([status, result], ['SUCCESS', { status: 201, answer: 'made' }])
    assert.deepEqual(
      world.asked.map(({ method, key, body }) => [method, key, body]),
      Array(2).fill(['POST', id, '"a body"']),
    )
  })

  it('waits as many seconds as Retry-After says, and asks again', async t => {
    const world = await start(t, say(429, '', { 'retry-after': '1' }), say(200, 'fine'))
    const id = await world.begin()
    await world.attempt()
    const [first, second] = world.asked
    assert.deepEqual([(await world.get(id)).status, (await world.get(id)).attempt], ['SUCCESS', 1])
    assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 990, 'a timer may fire a little early')
  })

  it('waits until the date that Retry-After says', async t => {
    const date = new Date(Date.now() + 3_000).toUTCString()
    const world = await start(t, say(503, '', { 'retry-after': date }), say(200, 'fine'))
    const id = await world.begin()
    await world.attempt()
    assert.deepEqual([(await world.get(id)).status, (await world.get(id)).attempt], ['SUCCESS', 1])
    assert.equal(world.asked.length, 2)
    assert.ok((world.asked[1]?.at ?? 0) >= Date.parse(date) - 10)
  })

  it('gives its slot back for a long wait, and does not ask before the time in later attempts', async t => {
    for (const after of ['3600', new Date(Date.now() + 3_600_000).toUTCString()]) {
      const world = await start(t, say(429, '', { 'retry-after': after }), say(200))
      const id = await world.begin()
      for (const attempt of [1, 2, 3]) {
        await world.attempt()
        const task = await world.get(id)
        assert.deepEqual([task.status, task.attempt], ['RETRY', attempt])
        assert.match(task.error?.message ?? '', /may be asked in 3[56]\d\d seconds/)
      }
      assert.equal(world.asked.length, 1)
    }
  })

  it('does not wait for ever for an API that is always busy', async t => {
    const world = await start(t, say(429, 'busy', { 'retry-after': '0' }))
    const id = await world.begin()
    await world.attempt()
    const { status, error } = await world.get(id)
    assert.deepEqual([status, error?.message], ['RETRY', 'The API answered 429: busy'])
    assert.equal(world.asked.length, 3)
  })

  it('tries again when nobody answers', async t => {
    const world = await start(t, (_response, request) => request.socket.destroy(), say(200, 'fine'))
    const id = await world.begin()
    await world.attempt()
    assert.equal((await world.get(id)).status, 'RETRY')
    await world.attempt()
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('fails at once where trying again does not help', async t => {
    for (const answer of [say(404, 'no such thing'), say(302, '', { location: 'http://127.0.0.1:1/' })]) {
      const world = await start(t, answer)
      const id = await world.begin()
      await world.attempt()
      const { status, error, attempt } = await world.get(id)
      assert.deepEqual([status, attempt, world.asked.length], ['FAILURE', 1, 1])
      assert.match(error?.message ?? '', /^The API answered (404: no such thing|302: )$/)
    }
  })

  it('keeps a million characters of an answer without an end', async t => {
    let closed = false
    const world = await start(t, response => {
      response.on('close', () => {
        closed = true
      })
      const more = (): void => {
        while (!closed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    const id = await world.begin()
    await world.attempt()
    assert.equal((await world.get(id)).status, 'SUCCESS')
    const result = JSON.parse(String(await world.blob(id, BLOBS.jsonResult))) as { answer: string }
    assert.equal(result.answer.length, 1_000_000)
    await until('the connection is closed', () => closed)
  })

  it('ends at a cancel while it waits', async t => {
    const world = await start(t, say(429, '', { 'retry-after': '59' }))
    const id = await world.begin()
    const attempt = world.attempt()
    await until('it has asked', () => world.asked.length === 1)
    await world.client.revoke(id, new Date().toISOString())
    await attempt
    assert.equal((await world.get(id)).status, 'REVOKED')
  })
})
