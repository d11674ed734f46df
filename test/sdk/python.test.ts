// sdk/python/madhava.py by its own tests, with every Python that this machine has; those of its client against the REST
// door on a real port, with a worker behind it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createKinds } from '../../src/core/kinds.ts'
import { silentLog } from '../../src/platform/log.ts'
import { serveHttp } from '../../src/platform/serve.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { createRunner } from '../../src/worker/runner.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { createFixture } from '../api/fixture.ts'
import { kindSetsOf } from '../support/kind-sets.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'
import { openRunnerPlace } from '../worker/acts/places.ts'

const FOLDER = fileURLToPath(new URL('../../sdk/python', import.meta.url))
const OLDEST = 9

/** Those that can be run, newest last; at least the system's, if there is one. */
const pythons = (): string[] => {
  const places = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    ...(() => {
      const versions = path.join(homedir(), '.pyenv', 'versions')
      return existsSync(versions) ? readdirSync(versions).map(name => path.join(versions, name, 'bin')) : []
    })(),
  ]
  const found = new Map<number, string>()
  for (const place of places) {
    if (!existsSync(place) || place.includes('shims')) continue
    for (const name of readdirSync(place)) {
      const minor = Number(/^python3\.(\d+)$/.exec(name)?.[1] ?? 0)
      if (minor >= OLDEST && !found.has(minor)) found.set(minor, path.join(place, name))
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, file]) => file)
}

/** A door with a worker that runs the kind `acts`; its address. */
const startServer = async (t: TestContext): Promise<string> => {
  const clock = () => new Date()
  const memory = createMemory()
  const store = memory.open({ clock })
  const { kind, file } = await openRunnerPlace('module')
  const door = createFixture({ store, kinds: [kind] })
  const http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    ...{ host: '127.0.0.1', port: 0, setting: 'API_PORT', log: silentLog() },
    limits: { keepAliveTimeout: 2_000 },
  })
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-python-'))
  const own = memory.open({ clock })
  const scratch = createScratch({ dir, store: own, storeId: 's', clock, log: silentLog() })
  const threads = createThreads({ size: 4, memoryMb: 128 })
  const runner = createRunner({
    ...{ store: own, kindSets: kindSetsOf(createKinds([kind]), { acts: file }), threads, scratch, clock },
    ...{ submitChild: door.service.submitChild, workerName: 'w', log: silentLog() },
  })
  let over = false
  const taking = (async () => {
    for (; !over; await wait(20)) if (runner.held().length < 4) await runner.take()
  })()
  undo(t, async () => {
    over = true
    await taking
    await runner.close()
    await threads.close()
    await scratch.close()
    await own.close()
    await door.close()
    await http.close()
    await rm(dir, { recursive: true, force: true })
  })
  return `http://127.0.0.1:${http.address.port}`
}

const found = pythons()
describe('madhava.py', { timeout: 900_000 }, () => {
  it('finds a Python of this machine', { skip: requireService('python') }, () => assert.ok(found.length > 0))

  for (const python of found)
    it(`keeps its promises with ${path.basename(python)}`, async t => {
      const url = await startServer(t)
      const child = spawn(python, ['-B', '-m', 'unittest', 'test_madhava'], {
        cwd: FOLDER,
        env: { ...process.env, MADHAVA_TEST_URL: url },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      undo(t, () => child.kill('SIGKILL'))
      let said = ''
      child.stderr.on('data', text => {
        said += String(text)
      })
      const [code] = await once(child, 'close')
      assert.equal(code, 0, said)
      assert.match(said, /\nOK/)
    })
})
