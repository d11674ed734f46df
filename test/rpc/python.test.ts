// An old client in another language: Debian's python3-thrift, with code generated from the IDL of today.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { start, succeed } from '../../src/core/moves.ts'
import { requireService } from '../support/services.ts'
import { openBench } from './fixture.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 90_000
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const skip = requireService('thrift') || requireService('thrift-python')

test('an unchanged Python client starts, reads and lists tasks, and sees errors as it should', {
  skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rpc-py-'))
  const bench = await openBench()
  try {
    const now = new Date().toISOString()
    const { task } = await bench.service.submit(
      { name: null, via: 'rest' },
      { kind: 'calcpi', params: { digits: 2 } },
    )
    const begun = await bench.store.claim(task.id, start('w1', now))
    assert.ok(begun)
    await bench.store.move(task.id, begun.claim, succeed('3.25', null, now))

    await run('thrift', ['--gen', 'py', '-out', folder, at('idl/rpcinterface.thrift')], {
      timeout: TIMEOUT_MS,
    })
    const script = [at('test/support/rpc_client.py'), folder, String(bench.door.address.port)]
    const { stdout } = await run('/usr/bin/python3', script, { timeout: TIMEOUT_MS })
    const seen = JSON.parse(stdout)

    for (const protocol of ['plain', 'accelerated']) {
      const { id, status, listed, unknown, malformed, negative, after } = seen[protocol]
      const stored = await bench.store.get(id)
      assert.deepEqual(stored?.params, { digits: 7 })
      const waiting = {
        id,
        status: 'PENDING',
        pushqtime: stored?.createdAt,
        starttime: null,
        stoptime: null,
        result: null,
      }
      assert.deepEqual(status, waiting)
      assert.deepEqual(after, waiting)
      assert.deepEqual(listed[0], waiting)
      assert.deepEqual(listed.at(-1), {
        id: task.id,
        status: 'SUCCESS',
        pushqtime: task.createdAt,
        starttime: now,
        stoptime: now,
        result: 3.25,
      })
      assert.deepEqual(unknown, { BadTask: ['0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', 404] })
      assert.deepEqual(malformed, { BadTask: ['x'.repeat(64), 400] })
      const [type, message] = negative.TApplicationException
      assert.equal(type, 6)
      assert.match(message, /^PARAMS_INVALID: decimal is a number of digits/)
    }
  } finally {
    await bench.close()
    await rm(folder, { recursive: true, force: true })
  }
})
