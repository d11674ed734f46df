// Uploads and artifacts at the REST door.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { start } from '../../src/core/moves.ts'
import { undo } from '../support/undo.ts'
import { createFixture, type Fixture, type FixtureOptions, jsonOf } from './fixture.ts'

const TEXT = Buffer.from('name,age\nAda,36\n')
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const setUp = (t: TestContext, options: FixtureOptions = {}) => {
  const door = createFixture(options)
  undo(t, () => door.close())
  const send = (path: string, body: NonNullable<RequestInit['body']> | null, init: RequestInit = {}) =>
    door.app.request(path, { method: 'POST', body, ...init })
  return { door, send }
}
const idOf = async (answer: Response): Promise<string> => {
  assert.equal(answer.status, 201)
  return (await jsonOf<{ id: string }>(answer)).id
}
const problemOf = async (answer: Response): Promise<[number, string]> => [
  answer.status,
  (await jsonOf<{ code: string }>(answer)).code,
]
/** A task with an artifact, as a worker leaves it. */
const withArtifact = async (door: Fixture, name: string, type: string, bytes: Buffer): Promise<string> => {
  const { id } = await door.submit('echo', null)
  const now = new Date().toISOString()
  const task = await door.store.claim(id, start('worker', now))
  const file = artifactFile(task?.claim ?? 0, 1)
  await door.store.putBlob(id, file, bytes)
  const artifact = { name, type, bytes: bytes.length, sha256: sha(bytes), file }
  await door.store.move(id, task?.claim ?? 0, listArtifact(artifact, now))
  return id
}

describe('POST /uploads', () => {
  it('takes a body as it is, and tells of it', async t => {
    const { door, send } = setUp(t)
    const answer = await send('/uploads?name=people.csv', TEXT, { headers: { 'content-type': 'text/csv' } })
    assert.equal(answer.status, 201)
    const info = await jsonOf(answer)
    assert.equal(answer.headers.get('location'), `/uploads/${info.id}`)
    const { bytes, sha256, type, name, state } = info
    assert.deepEqual(
      { bytes, sha256, type, name, state },
      {
        bytes: TEXT.length,
        sha256: sha(TEXT),
        // the fixture finds no types
        type: 'application/octet-stream',
        name: 'people.csv',
        state: 'whole',
      },
    )
    assert.deepEqual(await jsonOf(await door.app.request(`/uploads/${info.id}`)), info)
    assert.deepEqual(await jsonOf(await door.app.request('/uploads')), { uploads: [info], next: null })
  })

  it('takes the one file of a form, with its name, among other fields', async t => {
    const { door, send } = setUp(t)
    const form = new FormData()
    form.set('comment', 'look at this')
    form.set('file', new File([TEXT], '../über/людей.csv'))
    form.set('more', 'words behind it')
    const id = await idOf(await send('/uploads', form))
    const content = await door.app.request(`/uploads/${id}/content`)
    assert.deepEqual(Buffer.from(await content.arrayBuffer()), TEXT)
    assert.match(
      content.headers.get('content-disposition') ?? '',
      /^attachment; filename="[_.a-z]+"; filename\*=UTF-8''%D0/,
    )
  })

  it('refuses forms that are broken, have no file, or several, and keeps nothing of them', async t => {
    const { door, send } = setUp(t)
    const two = new FormData()
    two.append('file', new File([TEXT], 'a'))
    two.append('file', new File([TEXT], 'b'))
    const none = new FormData()
    none.set('comment', 'no file')
    const type = { headers: { 'content-type': 'multipart/form-data; boundary=x' } }
    const cut = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf of it'
    for (const answer of [
      await send('/uploads', two),
      await send('/uploads', none),
      await send('/uploads', cut, type),
      await send('/uploads', 'nothing of that', type),
      await send('/uploads', TEXT, { headers: { 'content-type': 'multipart/form-data' } }),
    ])
      assert.deepEqual(await problemOf(answer), [400, 'BAD_REQUEST'])
    assert.deepEqual(await door.store.uploads.list({ limit: 10, cursor: null }), { uploads: [], next: null })
  })

  it('refuses what is packed, what has another digest, and what comes from another web site', async t => {
    const { send } = setUp(t)
    const packed = await send('/uploads', TEXT, { headers: { 'content-encoding': 'gzip' } })
    assert.deepEqual(await problemOf(packed), [415, 'UNSUPPORTED_MEDIA_TYPE'])
    const other = await send(`/uploads?sha256=${sha(Buffer.from('x'))}`, TEXT)
    assert.deepEqual(await problemOf(other), [422, 'UPLOAD_DIGEST_WRONG'])
    const form = new FormData()
    form.set('file', new File([TEXT], 'a'))
    const foreign = { headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' } }
    assert.deepEqual(await problemOf(await send('/uploads', form, foreign)), [403, 'CROSS_SITE'])
  })

  it('does not count in the budget of bodies', async t => {
    const { door } = setUp(t)
    const large = 100 * 1024 ** 2
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent >= large) return controller.close()
        const piece = new Uint8Array(Math.min(4 * 1024 ** 2, large - sent))
        sent += piece.length
        controller.enqueue(piece)
      },
    })
    const request = new Request('http://localhost/uploads', {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit)
    const answer = await door.app.fetch(request)
    assert.equal((await jsonOf<{ bytes: number }>(answer)).bytes, large)
  })

  it('takes bytes in several requests, and goes on where they broke off', async t => {
    const { door, send } = setUp(t)
    const id = await idOf(await send('/uploads?resumable=1&name=a.csv&length=16', null))
    const patch = (offset: number, bytes: Uint8Array) =>
      send(`/uploads/${id}?offset=${offset}`, Buffer.from(bytes), { method: 'PATCH' })
    assert.equal((await patch(0, TEXT.subarray(0, 9))).status, 200)
    const behind = await patch(3, TEXT)
    assert.equal(behind.status, 409)
    const { code, offset } = await jsonOf<{ code: string; offset: unknown }>(behind)
    assert.deepEqual([code, offset], ['UPLOAD_OFFSET', 9])
    assert.deepEqual(await problemOf(await send(`/uploads/${id}/finish`, null)), [409, 'UPLOAD_OPEN'])
    assert.deepEqual(await problemOf(await door.app.request(`/uploads/${id}/content`)), [409, 'UPLOAD_OPEN'])
    assert.equal((await patch(9, TEXT.subarray(9))).status, 200)
    const done = await send(`/uploads/${id}/finish?sha256=${sha(TEXT)}`, null)
    assert.equal((await jsonOf<{ state: string }>(done)).state, 'whole')
    const body = await send('/uploads?resumable=1', TEXT, { headers: { 'content-length': '16' } })
    assert.deepEqual(await problemOf(body), [400, 'BAD_REQUEST'])
  })

  it('removes an upload, but none that a task names', async t => {
    const { door, send } = setUp(t)
    const [one, two] = [await idOf(await send('/uploads', TEXT)), await idOf(await send('/uploads', TEXT))]
    await door.submit('echo', { file: { $upload: one } })
    const remove = (id: string) => door.app.request(`/uploads/${id}`, { method: 'DELETE' })
    assert.deepEqual(await problemOf(await remove(one)), [409, 'UPLOAD_IN_USE'])
    assert.equal((await remove(two)).status, 204)
    assert.deepEqual(await problemOf(await remove(two)), [404, 'UPLOAD_NOT_FOUND'])
    assert.deepEqual(await problemOf(await remove('../../etc')), [404, 'NOT_FOUND'])
    assert.deepEqual(await problemOf(await remove('..%2f..%2fetc')), [400, 'BAD_ID'])
  })

  it('shows the uploads of others to nobody but those who see all', async t => {
    const { door, send } = setUp(t, { anonymous: 'none' })
    const [ada, bob, eve] = [
      await door.logIn('ada', 'user'),
      await door.logIn('bob', 'user'),
      await door.logIn('eve', 'viewer'),
    ]
    const as = ({ token }: { token: string }) => ({ headers: { authorization: `Bearer ${token}` } })
    const id = await idOf(await send('/uploads', TEXT, as(ada)))
    for (const path of [`/uploads/${id}`, `/uploads/${id}/content`])
      assert.deepEqual(await problemOf(await door.app.request(path, as(bob))), [404, 'UPLOAD_NOT_FOUND'])
    assert.equal((await door.app.request(`/uploads/${id}/content`, as(eve))).status, 200)
    assert.deepEqual(await problemOf(await send('/uploads', TEXT, as(eve))), [403, 'SCOPE_MISSING'])
    assert.deepEqual(await problemOf(await send('/uploads', TEXT)), [401, 'UNAUTHORIZED'])
    const entries = (await door.store.audit.page({ actions: ['upload.create'] }, { limit: 10, cursor: null }))
      .entries
    assert.deepEqual(entries.map(({ actor, target, outcome }) => [actor?.name, target, outcome]).sort(), [
      ['ada', id, 'done'],
      ['eve', null, 'SCOPE_MISSING'],
    ])
  })
})

describe('GET /task/{id}/artifacts/{name}', () => {
  it('sends the bytes with range, tag and digest, and as nothing that a browser would run', async t => {
    const { door } = setUp(t)
    const page = Buffer.from('<script>alert(1)</script>')
    const id = await withArtifact(door, 'report.html', 'text/html', page)
    const path = `/task/${id}/artifacts/report.html`
    const answer = await door.app.request(path)
    assert.equal(answer.status, 200)
    assert.equal(await answer.text(), page.toString())
    const header = (name: string) => answer.headers.get(name)
    assert.equal(header('content-type'), 'text/html')
    assert.equal(header('content-disposition'), 'attachment; filename="report.html"')
    assert.match(header('content-security-policy') ?? '', /^sandbox; default-src 'none'/)
    assert.equal(header('x-content-type-options'), 'nosniff')
    assert.equal(header('etag'), `"${sha(page)}"`)
    const part = await door.app.request(path, { headers: { range: 'bytes=1-6' } })
    assert.deepEqual([part.status, await part.text()], [206, 'script'])
    const same = await door.app.request(path, { headers: { 'if-none-match': `"${sha(page)}"` } })
    assert.equal(same.status, 304)
    const head = await door.app.request(path, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(page.length)])
    assert.equal((await door.app.request(path, { headers: { range: 'bytes=99-' } })).status, 416)
  })

  it('knows no other names, and shows what the record lists without the blob', async t => {
    const { door } = setUp(t)
    const bytes = Buffer.from('{}')
    const id = await withArtifact(door, 'a.json', 'application/json', bytes)
    for (const name of ['b.json', 'artifact.1.1', 'result.txt', '..%2fa.json', '%00'])
      assert.deepEqual(
        await problemOf(await door.app.request(`/task/${id}/artifacts/${name}`)),
        [404, 'ARTIFACT_NOT_FOUND'],
        name,
      )
    const task = await jsonOf<{ artifacts: unknown }>(await door.app.request(`/task/${id}`))
    assert.deepEqual(task.artifacts, [
      { name: 'a.json', bytes: 2, type: 'application/json', sha256: sha(bytes) },
    ])
  })

  it('is open to whoever has a link to the task, who gets no uploads', async t => {
    const { door, send } = setUp(t, { anonymous: 'none' })
    const ada = await door.logIn('ada', 'admin')
    const headers = { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' }
    const id = await withArtifact(door, 'a.txt', 'text/plain', TEXT)
    const shared = await send(`/task/${id}/share`, JSON.stringify({ seconds: 60 }), { headers })
    const { link } = await jsonOf<{ link: string }>(shared)
    const answer = await door.app.request(`${link}/artifacts/a.txt`)
    assert.deepEqual([answer.status, await answer.text()], [200, TEXT.toString()])
    assert.deepEqual(await problemOf(await door.app.request(`/task/${id}/artifacts/a.txt`)), [
      401,
      'UNAUTHORIZED',
    ])
    assert.deepEqual(await problemOf(await door.app.request('/shared/no-such/artifacts/a.txt')), [
      404,
      'SHARE_NOT_FOUND',
    ])
  })
})
