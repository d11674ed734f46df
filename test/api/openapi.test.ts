import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { describedRoutes } from '../../src/api/openapi.ts'
import { createDocumentCheck } from '../support/document-check.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

type Responses = Record<string, { content?: Record<string, { schema?: object }> }>
interface Operation {
  operationId: string
  responses: Responses
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

describe('the document of the API', () => {
  let door: Fixture
  let text: string
  let document: Document
  before(async () => {
    door = createFixture()
    const response = await door.app.request('/openapi.json')
    assert.equal(response.status, 200)
    text = await response.text()
    document = JSON.parse(text)
  })
  after(() => door.close())

  it('is OpenAPI 3.1 without an error or a warning of the linter', async () => {
    assert.match(document.openapi, /^3\.1\./)
    const config = await createConfig({ extends: ['recommended'] })
    const problems = await lintFromString({ source: text, config })
    // a socket that opens answers 101 alone, and what only sends on to another server 303
    const isOtherwise = (text: string): boolean =>
      /^operation-2xx-response.*(?:~1ws|~1sessions~1oidc)\/get/.test(text)
    assert.deepEqual(
      problems
        .map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`)
        .filter(text => !isOtherwise(text)),
      [],
    )
  })

  it('names exactly the routes of the app, each with a name of its own', () => {
    const routes = describedRoutes(door.app)
    assert.ok(routes.length >= 14)
    const silent = routes.filter(({ operation }) => operation === null)
    assert.deepEqual(silent, [], 'each route stands behind describe()')
    const named = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map(method => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual(named.sort(), routes.map(({ method, path }) => `${method} ${path}`).sort())
    const ids = Object.values(document.paths).flatMap(item =>
      Object.values(item).map(({ operationId }) => operationId),
    )
    assert.equal(new Set(ids).size, ids.length)
  })

  it('has no path that README.md leaves out, but for files of pages', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    const said = [...readme.matchAll(/`([^`\n]*)`/g)].flatMap(([, code = '']) => code.split(/[ ,]+/))
    const silent = Object.keys(document.paths).filter(
      path => !path.endsWith('/{file}') && !said.includes(path),
    )
    assert.deepEqual(silent, [])
  })

  it('has problem details, and nothing else, for every error of every operation', () => {
    for (const [path, item] of Object.entries(document.paths))
      for (const { responses } of Object.values(item))
        for (const [status, { content }] of Object.entries(responses))
          if (Number(status) >= 400 && !(path === '/readyz' && status === '503'))
            assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json'], `${path} ${status}`)
  })

  it('a task that is submitted as the document says by example is accepted', async () => {
    const post = document.paths['/tasks']?.post as unknown as {
      requestBody: { content: Record<string, { example: unknown }> }
    }
    const example = post.requestBody.content['application/json']?.example
    assert.equal((await door.post('/tasks', example)).status, 202)
  })

  it('a status, a content type, a field, a header or a body that it does not say is noticed', async () => {
    const check = createDocumentCheck(JSON.parse(text))
    const { id } = await door.submit('echo', 1)
    const record = await jsonOf(await door.app.request(`/task/${id}`))
    const misfit = (body: unknown, more: { status?: number; type?: string; etag?: string } = {}) =>
      check.misfit({
        method: 'GET',
        path: `/task/${id}`,
        status: more.status ?? 200,
        headers: new Headers({
          'content-type': more.type ?? 'application/json',
          ...(more.etag === '' ? {} : { etag: '"1"' }),
        }),
        body: JSON.stringify(body),
      })
    assert.equal(misfit(record), null)
    assert.match(misfit({ ...record, colour: 1 }) ?? '', /additional properties/)
    assert.match(misfit({ ...record, status: 'DONE' }) ?? '', /allowed values/)
    assert.match(misfit({ ...record, createdAt: 'yesterday' }) ?? '', /format/)
    assert.match(misfit({ ...record, id: undefined }) ?? '', /required property 'id'/)
    assert.match(misfit(record, { status: 201 }) ?? '', /not described/)
    assert.match(misfit(record, { type: 'text/html' }) ?? '', /content type/)
    assert.match(misfit(record, { etag: '' }) ?? '', /header ETag/)
    assert.match(misfit(record, { status: 304 }) ?? '', /none is described/)
    const problem = {
      type: 'urn:madhava:error:BAD_ID',
      title: 'x',
      status: 404,
      detail: 'x',
      code: 'BAD_ID',
    }
    const answer = (code: string) =>
      misfit({ ...problem, code }, { status: 404, type: 'application/problem+json' })
    assert.equal(answer('TASK_NOT_FOUND'), null)
    assert.match(answer('BAD_ID') ?? '', /allowed values/, 'a code of another status')
  })
})
