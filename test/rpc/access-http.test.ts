// Who calls over HTTP: whoever the REST API has found out, for one call.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { keyOf } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { type Bench, openBench, until } from './fixture.ts'
import { openHttp } from './http.ts'
import { encode, type Message } from './messages.ts'

const actors = { ann: keyOf('ann', 'user'), bob: keyOf('bob', 'user') }

describe('a call over HTTP', { timeout: 300_000 }, () => {
  let bench: Bench
  let http: Awaited<ReturnType<typeof openHttp>>
  beforeEach(async () => {
    bench = await openBench({}, undefined, createFakeAccess({ anonymous: 'none', actors }))
    http = await openHttp(bench)
  })
  afterEach(async () => {
    await http.close()
    await bench.close()
  })

  const ask = async (name: string, bearer: string | null, fields: Message['fields'] = []) => {
    const response = await fetch(`http://127.0.0.1:${http.address.port}/rpc`, {
      method: 'POST',
      body: new Uint8Array(encode('binary', { name, seqid: 1, fields })),
      headers: {
        'content-type': 'application/x-thrift',
        ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
      },
    })
    return { status: response.status, text: Buffer.from(await response.arrayBuffer()).toString('latin1') }
  }
  const text = (id: number, value: string): Message['fields'][number] => ({
    id,
    value: { type: 11, text: value },
  })

  it('is made for whom its request shows', async () => {
    const seen = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask('me', i % 2 === 0 ? 'ann' : 'bob')),
    )
    for (const [i, { status, text }] of seen.entries()) {
      assert.equal(status, 200)
      assert.match(text, i % 2 === 0 ? /key-of-ann/ : /key-of-bob/)
    }
  })

  it('without a login is that of a stranger', async () => {
    const { status, text } = await ask('listKinds', null)
    assert.equal(status, 200)
    assert.match(text, /UNAUTHORIZED/)
    assert.match((await ask('version', null)).text, /1\.2\.3/)
  })

  it('with what is not valid is refused by the REST API', async () => {
    const { status, text } = await ask('listKinds', 'wrong')
    assert.equal(status, 401)
    assert.match(text, /"code":"UNAUTHORIZED"/)
  })

  it('cannot authenticate, and is told how to', async () => {
    const { text: reply } = await ask('authenticate', 'ann', [text(1, 'bob')])
    assert.match(reply, /BAD_REQUEST.*Authorization: Bearer/s)
    assert.match((await ask('me', 'ann')).text, /key-of-ann/)
  })

  it('that waits ends when the key is revoked, with an exception of Thrift', async () => {
    const { task } = await bench.service.submit(actors.ann, { kind: 'echo', params: 1 })
    const wait = ask('waitTask', 'ann', [
      text(1, task.id),
      text(2, `${task.claim}-${task.rev}`),
      { id: 3, value: { type: 8, int: 30_000 } },
    ])
    await until('the wait is watched', () => bench.who.watches() > 0)
    bench.who.revoke('ann')
    const { status, text: reply } = await wait
    assert.equal(status, 200)
    assert.match(reply, /UNAUTHORIZED/)
    assert.equal(bench.who.watches(), 0)
  })
})
