import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { etagOf, parseRange } from '../../src/api/request-headers.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { soon } from '../support/soon.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

describe('one task', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const expectProblem = async (response: Response, status: number, code: string) =>
    assert.deepEqual([response.status, (await jsonOf(response)).code], [status, code])
  const get = (path: string, headers: Record<string, string> = {}) => door.app.request(path, { headers })

  it('GET /task/{id} answers the record as it is in the store, in any case of the id', async () => {
    const task = await door.submit('echo', 1)
    const response = await get(`/task/${task.id.toUpperCase()}`)
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), await door.store.get(task.id))
  })

  it('an id that nobody knows is 404, one that is no UUID is 400, on every path of a task', async () => {
    const tries: [string, string][] = [
      ['GET', ''],
      ['GET', '/result'],
      ['GET', '/log'],
      ['DELETE', ''],
      ['POST', '/retry'],
    ]
    for (const [method, rest] of tries) {
      await expectProblem(
        await door.app.request(`/task/${UNKNOWN}${rest}`, { method }),
        404,
        'TASK_NOT_FOUND',
      )
      for (const id of ['1', '..%2f..%2fetc%2fpasswd', '%00', '%zz', 'x'.repeat(3000), `${UNKNOWN}0`])
        await expectProblem(await door.app.request(`/task/${id}${rest}`, { method }), 400, 'BAD_ID')
    }
  })

  it('If-None-Match with the ETag is 304 until the record changes', async () => {
    const task = await door.submit('echo', 1)
    const first = await get(`/task/${task.id}`)
    const etag = first.headers.get('etag') ?? ''
    assert.equal(etag, `"${task.claim}-${task.rev}"`)
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const same = await get(`/task/${task.id}`, { 'if-none-match': tag })
      assert.deepEqual([same.status, await same.text(), same.headers.get('etag')], [304, '', etag])
    }
    await door.run(task.id)
    assert.equal((await get(`/task/${task.id}`, { 'if-none-match': etag })).status, 200)
  })

  it('a cancel request changes the ETag although the holder has not acted yet', async () => {
    const task = await door.submit('echo', 1)
    await door.run(task.id)
    const etag = (await get(`/task/${task.id}`)).headers.get('etag') ?? ''
    const cancel = await door.app.request(`/task/${task.id}`, { method: 'DELETE' })
    assert.equal(cancel.status, 202)
    const after = await get(`/task/${task.id}`, { 'if-none-match': etag })
    assert.equal(after.status, 200)
    assert.notEqual((await jsonOf(after)).revokeRequestedAt, null)
  })

  it('a long poll answers when the task changes, with 304 when it does not, and at once to who knows nothing', async () => {
    for (const form of ['ETAG', '"9-9", W/ETAG', '*']) {
      const { id } = await door.submit('echo', 1)
      const path = `/task/${id}?wait=`
      const etag = (await get(`${path}60`)).headers.get('etag') ?? ''
      const known = { 'if-none-match': form.replace('ETAG', etag) }
      assert.equal((await get(`${path}60`, { 'if-none-match': '"9-9"' })).status, 200)
      const same = await get(`${path}0.05`, known)
      assert.deepEqual([same.status, same.headers.get('etag')], [304, etag])
      const waiting = soon(Promise.resolve(get(`${path}60`, known)), 'the answer')
      await door.run(id)
      const changed = await waiting
      assert.equal(changed.status, 200)
      const record = await jsonOf<TaskRecord>(changed)
      assert.deepEqual([record.status, changed.headers.get('etag')], ['STARTED', etagOf(record)])
    }
  })

  it('a long poll ends when its task is removed, and when the door closes', async () => {
    const [gone, kept] = [await door.ended('x'), await door.ended('y')]
    const wait = (task: TaskRecord) =>
      soon(Promise.resolve(get(`/task/${task.id}?wait=60`, { 'if-none-match': etagOf(task) })), 'the answer')
    const [removed, closed] = [wait(gone), wait(kept)]
    await door.store.remove(gone.id)
    await expectProblem(await removed, 404, 'TASK_NOT_FOUND')
    door.endStreams()
    assert.equal((await closed).status, 304)
    await expectProblem(await wait(kept), 503, 'SHUTTING_DOWN')
  })

  it('refuses a wait that is none, and other parameters', async () => {
    const { id } = await door.submit('echo', 1)
    for (const query of ['wait=61', 'wait=-1', 'wait=1e1', 'wait=soon', 'wait=1&wait=2', 'weight=5'])
      await expectProblem(await get(`/task/${id}?${query}`), 400, 'BAD_REQUEST')
  })

  it('DELETE revokes a waiting task at once, asks for the end of a running one, and is 409 after the end', async () => {
    const waiting = await door.submit('echo', 1)
    const revoked = await door.app.request(`/task/${waiting.id}`, { method: 'DELETE' })
    assert.equal(revoked.status, 200)
    const answer = await jsonOf<{ outcome: string; task: TaskRecord }>(revoked)
    assert.deepEqual([answer.outcome, answer.task.status], ['revoked', 'REVOKED'])
    await expectProblem(
      await door.app.request(`/task/${waiting.id}`, { method: 'DELETE' }),
      409,
      'TASK_ENDED',
    )

    const running = await door.submit('echo', 1)
    await door.run(running.id)
    const requested = await door.app.request(`/task/${running.id}`, { method: 'DELETE' })
    assert.equal(requested.status, 202)
    assert.equal((await jsonOf(requested)).outcome, 'requested')
  })

  it('DELETE ?purge=1 removes an ended task whole, and nothing else', async () => {
    const waiting = await door.submit('echo', 1)
    const path = `/task/${waiting.id}?purge=`
    await expectProblem(await door.app.request(`${path}1`, { method: 'DELETE' }), 409, 'TASK_NOT_ENDED')
    await expectProblem(await door.app.request(`${path}yes`, { method: 'DELETE' }), 400, 'BAD_REQUEST')
    const typo = await door.app.request(`/task/${waiting.id}?purg=1`, { method: 'DELETE' })
    await expectProblem(typo, 400, 'BAD_REQUEST')
    assert.equal((await door.store.get(waiting.id))?.status, 'PENDING')
    await door.app.request(`/task/${waiting.id}`, { method: 'DELETE' })
    const gone = await door.app.request(`${path}1`, { method: 'DELETE' })
    assert.deepEqual([gone.status, await gone.text()], [204, ''])
    assert.equal(await door.store.get(waiting.id), null)
  })

  it('POST retry lets an ended task run again and is 409 before the end', async () => {
    const { id } = await door.submit('echo', 1)
    await expectProblem(
      await door.app.request(`/task/${id}/retry`, { method: 'POST' }),
      409,
      'TASK_NOT_ENDED',
    )
    await door.app.request(`/task/${id}`, { method: 'DELETE' })
    const response = await door.app.request(`/task/${id}/retry`, { method: 'POST' })
    assert.equal(response.status, 202)
    assert.equal(response.headers.get('location'), `/task/${id}`)
    assert.equal((await jsonOf(response)).status, 'PENDING')
    assert.equal(door.announced.filter(task => task.id === id).length, 2)
  })

  it('the result is text for a string and JSON for the rest, whole, with its length and type', async () => {
    const text = await door.ended('3.14159 π')
    const response = await get(`/task/${text.id}/result`)
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(response.headers.get('content-length'), '10')
    assert.equal(response.headers.get('accept-ranges'), 'bytes')
    assert.equal(await response.text(), '3.14159 π')
    const json = await door.ended({ a: [1, null] })
    const other = await get(`/task/${json.id}/result`)
    assert.equal(other.headers.get('content-type'), 'application/json')
    assert.deepEqual(await other.json(), { a: [1, null] })
    const empty = await get(`/task/${(await door.ended('')).id}/result`)
    assert.deepEqual([empty.status, await empty.text()], [200, ''])
  })

  it('the result of a task that has not ended is 409, of one that failed 404', async () => {
    const { id } = await door.submit('echo', 1)
    await expectProblem(await get(`/task/${id}/result`), 409, 'TASK_NOT_ENDED')
    await door.app.request(`/task/${id}`, { method: 'DELETE' })
    await expectProblem(await get(`/task/${id}/result`), 404, 'RESULT_NOT_FOUND')
  })

  it('a range of a result is 206 with just those bytes; outside it is 416; HEAD ignores it', async () => {
    const bytes = Buffer.from('0123456789'.repeat(1000))
    const { id } = await door.ended(null, { name: 'result.txt', bytes })
    const path = `/task/${id}/result`
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=5-14', 5, 15],
      ['bytes=9990-', 9990, 10_000],
      ['bytes=-7', 9993, 10_000],
      ['bytes=9990-99999', 9990, 10_000],
    ] as const) {
      const part = await get(path, { range })
      assert.equal(part.status, 206)
      assert.equal(part.headers.get('content-range'), `bytes ${start}-${end - 1}/10000`)
      assert.equal(part.headers.get('content-length'), String(end - start))
      assert.equal(await part.text(), bytes.subarray(start, end).toString())
    }
    const outside = await get(path, { range: 'bytes=10000-' })
    assert.equal(outside.headers.get('content-range'), 'bytes */10000')
    await expectProblem(outside, 416, 'RANGE_NOT_SATISFIABLE')
    for (const range of ['bytes=5-4', 'lines=1-2', 'bytes=1-2,4-5', 'bytes=a-b', 'bytes=-', 'junk'])
      assert.equal((await (await get(path, { range })).text()).length, 10_000, range)
    const head = await door.app.request(path, { method: 'HEAD', headers: { range: 'bytes=0-1' } })
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10000', ''])
  })

  it('If-Range sends the whole when the task has changed, the range when it has not', async () => {
    const { id } = await door.ended('0123456789')
    const path = `/task/${id}/result`
    const etag = (await get(path)).headers.get('etag') ?? ''
    assert.equal((await get(path, { range: 'bytes=0-1', 'if-range': etag })).status, 206)
    assert.equal((await get(path, { range: 'bytes=0-1', 'if-range': '"0-0"' })).status, 200)
    assert.equal((await get(path, { 'if-none-match': etag })).status, 304)
  })

  it('the log is text, empty before the first line', async () => {
    const { id } = await door.submit('echo', 1)
    const empty = await get(`/task/${id}/log`)
    assert.deepEqual([empty.status, await empty.text()], [200, ''])
    await door.store.putBlob(id, 'log.txt', Buffer.from('one\ntwo\n'))
    const log = await get(`/task/${id}/log`)
    assert.equal(log.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(await log.text(), 'one\ntwo\n')
    assert.equal(await (await get(`/task/${id}/log`, { range: 'bytes=-4' })).text(), 'two\n')
  })
})

describe('the Range header', () => {
  it('gives bytes that lie inside, are not empty, and are what was asked for', () => {
    const size = fc.integer({ min: 0, max: 1000 })
    const place = fc.integer({ min: 0, max: 1200 })
    fc.assert(
      fc.property(size, place, place, (bytes, first, last) => {
        const all = Array.from({ length: bytes }, (_, at) => at)
        const expected = (wanted: number[]) =>
          wanted.length === 0 ? 'unsatisfiable' : { start: wanted[0], end: (wanted.at(-1) ?? 0) + 1 }
        if (first <= last)
          assert.deepEqual(
            parseRange(`bytes=${first}-${last}`, bytes),
            expected(all.filter(at => at >= first && at <= last)),
          )
        else assert.equal(parseRange(`bytes=${first}-${last}`, bytes), null)
        assert.deepEqual(parseRange(`bytes=${first}-`, bytes), expected(all.filter(at => at >= first)))
        assert.deepEqual(parseRange(`bytes=-${last}`, bytes), expected(last === 0 ? [] : all.slice(-last)))
      }),
    )
  })

  it('never throws and never leaves the content, whatever is sent', () => {
    const header = fc.oneof(
      fc.string(),
      fc.stringMatching(/^bytes=[0-9]{0,40}-[0-9]{0,400}$/),
      fc.stringMatching(/^bytes=[-0-9, ]{0,40}$/),
    )
    fc.assert(
      fc.property(header, fc.integer({ min: 0, max: 2 ** 40 }), (text, bytes) => {
        const range = parseRange(text, bytes)
        if (range === null || range === 'unsatisfiable') return
        assert.ok(Number.isInteger(range.start) && Number.isInteger(range.end), JSON.stringify(range))
        assert.ok(range.start >= 0 && range.start < range.end && range.end <= bytes, JSON.stringify(range))
      }),
    )
  })
})
