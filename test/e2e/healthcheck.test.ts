// bin/healthcheck.mjs as a container engine runs it: an exit code, and the reason in words.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { undo } from '../support/undo.ts'

const TOOL = fileURLToPath(new URL('../../bin/healthcheck.mjs', import.meta.url))

const lookOnce = async (settings: Record<string, string>): Promise<{ code: number; words: string }> => {
  const child = spawn(process.execPath, [TOOL], { env: { PATH: process.env.PATH, ...settings } })
  let words = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', data => {
      words += String(data)
    })
  const [code] = (await once(child, 'close')) as [number]
  return { code, words: words.trim() }
}

/** As an engine does, it looks again where a busy machine gave no answer in time. */
const look = async (settings: Record<string, string>): Promise<{ code: number; words: string }> => {
  for (;;) {
    const seen = await lookOnce(settings)
    if (seen.words !== 'no answer within 6 s') return seen
  }
}

/** A door that gives this answer to everything. */
const openDoor = async (status: number, body: unknown): Promise<{ port: string; close(): void }> => {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { port: String((server.address() as AddressInfo).port), close: () => void server.close() }
}

describe('the health check', { timeout: 600_000 }, () => {
  it('says ready for a bundle with an api, and that nobody answers when it is stopped', async t => {
    const { dataDir, remove } = makeDataDir()
    undo(t, remove)
    const bundle = await startBundle(dataDir)
    undo(t, () => bundle.kill())
    const port = bundle.api.slice(bundle.api.lastIndexOf(':') + 1)
    // by the door alone, and by the presences when the port is not known beforehand
    assert.deepEqual(await look({ API_PORT: port }), { code: 0, words: 'ready' })
    assert.deepEqual(await look({ API_PORT: '0', DATA_DIR: dataDir }), { code: 0, words: 'ready' })
    await bundle.stop()
    const { code, words } = await look({ API_PORT: port })
    assert.deepEqual([code, words], [1, `the api does not answer on port ${port} (ECONNREFUSED)`])
  })

  it('looks at the presences where there is no api', async t => {
    const { dataDir, remove } = makeDataDir()
    undo(t, remove)
    const settings = { DATA_DIR: dataDir, ROLES: 'api,worker', API_PORT: '0' }
    assert.deepEqual(await look({ ...settings, DATA_DIR: path.join(dataDir, 'none') }), {
      code: 1,
      words: 'api: No api process is alive; worker: No worker process is alive',
    })
    const bundle = await startBundle(dataDir, { ROLES: 'api,worker' })
    undo(t, () => bundle.kill())
    // the api has logins too
    assert.match(bundle.output(), /shown this once/)
    assert.deepEqual(await look({ ...settings, ROLES: 'worker' }), { code: 0, words: 'ready' })
    const { code, words } = await look({ ...settings, ROLES: 'worker,rpc' })
    assert.deepEqual([code, words], [1, 'rpc: No rpc process is alive'])
    const fatal = { level: 'fatal', time: new Date().toISOString(), message: 'Port 9000 is taken' }
    writeFileSync(path.join(dataDir, 'logs', 'rpc.out.log'), `${JSON.stringify(fatal)}\n`)
    assert.deepEqual(await look({ ...settings, ROLES: 'worker,rpc' }), {
      code: 1,
      words: 'rpc: No rpc process is alive. The last one said: Port 9000 is taken',
    })
  })

  it('repeats the reasons of /readyz, and the words of whatever else answers there', async t => {
    const unready = await openDoor(503, {
      ok: false,
      checks: { store: { status: 'failed', reason: 'the disk is gone' }, queue: { status: 'ok' } },
    })
    undo(t, unready.close)
    assert.deepEqual(await look({ API_PORT: unready.port }), {
      code: 1,
      words: '/readyz answers 503: store: the disk is gone',
    })
    const stranger = await openDoor(404, 'what?')
    undo(t, stranger.close)
    assert.deepEqual(await look({ API_PORT: stranger.port }), {
      code: 1,
      words: '/readyz answers 404: "what?"',
    })
  })
})
