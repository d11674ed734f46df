// Clients in another language: Debian's python3-thrift, in every way of speaking, with code generated from the original
// interface alone, and from the interface of today.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { BLOBS } from '../../src/core/content.ts'
import { start, succeed } from '../../src/core/moves.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { anybody, keyOf } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { requireService } from '../support/services.ts'
import { type Bench, openBench } from './fixture.ts'
import { openHttp } from './http.ts'

const run = promisify(execFile)
const TIMEOUT_MS = 120_000
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const skip = requireService('thrift') || requireService('thrift-python')
const WAYS = [
  'buffered binary',
  'buffered binary accelerated',
  'framed binary',
  'framed binary accelerated',
  'buffered compact',
  'framed compact',
  'framed compact accelerated',
  'http binary',
  'http compact',
]

describe('a client in Python', () => {
  let folder: string
  let bench: Bench
  let http: Awaited<ReturnType<typeof openHttp>>
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rpc-py-'))
    const who = createFakeAccess({ actors: { ann: keyOf('ann', 'operator') } })
    bench = await openBench({}, undefined, who)
    http = await openHttp(bench)
  })
  afterEach(async () => {
    await http.close()
    await bench.close()
    await rm(folder, { recursive: true, force: true })
  })

  const submitted = async (): Promise<TaskRecord> =>
    (await bench.service.submit(anybody(), { kind: 'calcpi', params: { digits: 2 } })).task
  const begun = async (id: string, now: string): Promise<number> =>
    (await bench.store.claim(id, start('w1', now)))?.claim ?? assert.fail('not claimed')

  /** What the script saw, by the way of speaking. */
  const seenBy = async (idl: string, script: string, ...more: string[]) => {
    // the module is named after the file
    const renamed = join(folder, 'rpcinterface.thrift')
    await copyFile(at(idl), renamed)
    await run('thrift', ['--gen', 'py', '-out', folder, renamed], { timeout: TIMEOUT_MS })
    const { port } = bench.door.address
    const args = [at(script), folder, String(port), String(http.address.port), ...more]
    const { stdout } = await run('/usr/bin/python3', args, { timeout: TIMEOUT_MS })
    const seen = JSON.parse(stdout)
    assert.deepEqual(Object.keys(seen), WAYS)
    return seen
  }

  it('of the original interface starts, reads and lists tasks, and sees errors as it should', {
    skip,
  }, async () => {
    const now = new Date().toISOString()
    const task = await submitted()
    await bench.store.move(task.id, await begun(task.id, now), succeed('3.25', null, now))
    const seen = await seenBy('test/rpc/original.thrift', 'test/support/rpc_client.py')
    for (const way of WAYS) {
      const { id, status, listed, unknown, malformed, negative, after } = seen[way]
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
  })

  it('of Madhava uses every method, and gets typed exceptions, whole numbers and bytes', {
    skip,
  }, async () => {
    const now = new Date().toISOString()
    const big = await submitted()
    const claim = await begun(big.id, now)
    const bytes = Buffer.from(`3.${'1415926535'.repeat(30_000)}`)
    await bench.store.putBlob(big.id, BLOBS.textResult, bytes)
    await bench.store.putBlob(big.id, BLOBS.log, Buffer.from('one\ntwo\n'))
    await bench.store.move(big.id, claim, succeed(null, bytes.length, now))
    const running = await submitted()
    await begun(running.id, now)

    const seen = await seenBy('idl/rpcinterface.thrift', 'test/support/madhava_client.py', running.id)
    for (const way of WAYS) {
      const { task, page, ...rest } = seen[way]
      const [id] = task
      assert.deepEqual(task, [id, 'calcpi', { digits: 7 }, 9, 'from Python: é', 2.5], way)
      assert.deepEqual(page, [[id], null], way)
      assert.deepEqual(
        rest,
        {
          version: '1.2.3',
          unset: [null, null, null, null],
          unchanged: true,
          cancelled: ['revoked', 'REVOKED'],
          again: 'PENDING',
          purged: ['Conflict', 'TASK_NOT_ENDED', 409],
          big: [bytes.length, true, '1415926535'],
          log: 'one\ntwo\n',
          kinds: ['calcpi', 'echo', 'manual'],
          host: ['machine', 2 ** 41, 2 ** 52 + 1, null],
          queue: 'ready',
          requested: 'requested',
          errors: [
            ['NotFound', 'TASK_NOT_FOUND', 404],
            ['Refused', 'BAD_ID', 400],
            ['Refused', 'PARAMS_INVALID', 422],
            ['Refused', 'BAD_REQUEST', 400],
          ],
          original: 'PENDING',
          files: {
            state: ['whole', 'from Python: é', 512_000, 512_000],
            open: [null, null, null, null],
            same: true,
            listed: true,
            errors: [
              ['Conflict', 'UPLOAD_OFFSET', 409],
              ['Conflict', 'UPLOAD_OPEN', 409],
              ['Refused', 'BAD_REQUEST', 400],
              ['NotFound', 'TASK_NOT_FOUND', 404],
            ],
            deleted: ['NotFound', 'UPLOAD_NOT_FOUND', 404],
          },
          list: {
            item: ['manual', 'Water é', 'people', { assignee: 'ann' }],
            edited: ['Water é', 'twice', {}],
            late: ['Conflict', 'VERSION_CHANGED', 412],
            done: { by: null, note: 'wet' },
            again: ['Conflict', 'TASK_ENDED', 409],
          },
          nobody: true,
          // over HTTP the request says who calls
          wrong: way.startsWith('http') ? ['Refused', 'BAD_REQUEST', 400] : ['Refused', 'UNAUTHORIZED', 401],
          authenticated: way.startsWith('http') ? ['Refused', 'BAD_REQUEST', 400] : 'ann',
          bad: 400,
        },
        way,
      )
    }
  })
})
