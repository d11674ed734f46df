// The document of the dashboard's JSON API: sound, complete, and what the answers are.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import type { ProcessRow } from '../../src/dashboard/processes/processes.ts'
import { PAGES } from '../../src/dashboard/web/paths.ts'
import { checkAnswer, createDocumentCheck } from '../support/document-check.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS } from './fixture.ts'

const ROW: ProcessRow = {
  name: 'api',
  pmId: 0,
  state: 'online',
  pid: 1,
  uptimeMs: 5_000,
  restarts: 1,
  cpuPercent: 0.5,
  memoryBytes: 1,
  isDashboard: false,
  ready: true,
  troubles: { store: 'slow' },
  running: ['a'],
  restartCause: { how: 'exit', code: 1, signal: null, by: null, at: '2030-01-01T00:00:00.000Z', words: 'oh' },
  lastRestartAt: '2030-01-01T00:00:00.000Z',
  crashLoop: false,
}
/** Answers that are files of pages, streams, or another protocol; pages themselves are in `PAGES`. */
const NO_JSON =
  /^(?:GET \/(?:livez|login|login\/oidc(?:\/callback)?|register|stream|assets\/:name|(?:api\/)?shared\/.*|logtail\/.*)|POST \/(?:login|register|logout|RPC2))$/
const isPage = (route: string): boolean => PAGES.some(({ path }) => route === `GET ${path}`)

describe('the document of the dashboard', { timeout: 300_000 }, () => {
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  let document: { paths: Record<string, Record<string, unknown>> }
  const operator = basic('operator', PASSWORDS.operator)
  before(async () => {
    door = await createDashboardFixture({ processes: noProcesses({ list: async () => [ROW] }) })
    document = (await (await door.get('/openapi.json', operator)).json()) as typeof document
  })
  after(() => door.close())

  it('is shown after the login alone, and the linter of OpenAPI finds nothing', async () => {
    assert.equal((await door.get('/openapi.json')).status, 401)
    assert.equal((await door.get('/openapi.json', basic('viewer', PASSWORDS.viewer))).status, 200)
    const config = await createConfig({ extends: ['recommended'] })
    const problems = await lintFromString({ source: JSON.stringify(document), config })
    assert.deepEqual(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`),
      [],
    )
  })

  it('has every route that answers JSON', () => {
    const documented = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map(method => `${method.toUpperCase()} ${path}`),
    )
    const routes = door.app.routes
      .filter(({ method }) => method === 'GET' || method === 'POST')
      .map(({ method, path }) => `${method} ${path}`)
      .filter(route => !NO_JSON.test(route) && !isPage(route) && route !== 'GET /openapi.json')
      .map(route => route.replace('/:file', '/{stream}.json').replace(/:(\w+)/g, '{$1}'))
    assert.deepEqual([...new Set(routes)].sort(), documented.filter(route => !route.endsWith('.log')).sort())
  })

  it('says what the answers are', async () => {
    const check = createDocumentCheck(document)
    const misfits: string[] = []
    const ask = async (method: 'GET' | 'POST', where: string, headers: Record<string, string>, body = '') => {
      const answer = await (method === 'GET' ? door.get(where, headers) : door.post(where, body, headers))
      const request = new Request(`http://localhost:9001${where}`, { method })
      const held = await checkAnswer(check, request, answer, misfit => misfits.push(misfit))
      await held.text()
    }
    const json = { ...operator, 'content-type': 'application/json' }
    await ask('GET', '/me.json', operator)
    await ask('GET', '/processes.json', operator)
    for (const where of [
      '/overview.json',
      '/figures.json?span=week&points=9',
      '/kinds.json',
      '/settings.json',
    ])
      await ask('GET', where, operator)
    await ask('GET', '/me.json', {})
    await ask('POST', '/processes/api/start', json)
    await ask('POST', '/processes/all/restart', json, '{"waitSeconds":0}')
    await ask('POST', '/processes/api/stop', json, '[]')
    await ask('POST', '/processes/api/stop', { ...json, ...basic('viewer', PASSWORDS.viewer) })
    await ask('GET', '/logs/api/out.json', operator)
    await ask('GET', '/logs/api/out.json?limit=0', operator)
    assert.deepEqual(misfits, [])
  })
})
