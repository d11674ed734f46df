// Large files through a thread, both ways: all bytes arrive, and only a window of them is on the way.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../src/core/task.ts'
import { callErrorOf, type RunFiles } from '../../src/worker/pool/file-calls.ts'
import { ARTIFACTS_AT_ONCE, PIECE_BYTES, WINDOW_BYTES } from '../../src/worker/pool/file-protocol.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { until } from '../support/until.ts'

const FILER = fileURLToPath(new URL('./filer.ts', import.meta.url))
const OUTER = { timeout: 300_000 }
const MEGABYTES = 300
const UPLOAD = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
const pool = createThreads({ size: 1, memoryMb: 64 })
after(() => pool.close())

const NONE: RunFiles = {
  keep: async () => callErrorOf(new Error('not here')),
  find: async () => callErrorOf(new Error('not here')),
  read: () => Promise.reject(new Error('not here')),
  scratchMade() {},
}
const run = (act: string, value: Json, files: Partial<RunFiles>) =>
  pool.run(
    { id: UPLOAD, attempt: 1, kind: 'filer', file: FILER, params: { act, value }, resume: null },
    {
      started() {},
      progress() {},
      log() {},
      checkpoint() {},
      submit: async () => assert.fail('nobody submits here'),
      files: { ...NONE, ...files },
    },
  )
const resultOf = async (going: ReturnType<typeof run>): Promise<Json> => {
  const outcome = await going.outcome
  if (outcome.type === 'success' && outcome.result.form === 'inline') return JSON.parse(outcome.result.json)
  return assert.fail(JSON.stringify(outcome))
}
/** What the kind makes as well. */
function* repeated(megabytes: number) {
  for (let n = 0; n < megabytes; n++) yield Buffer.alloc(1024 ** 2, n % 251)
}
const hashOf = (megabytes: number): string => {
  const hash = createHash('sha256')
  for (const megabyte of repeated(megabytes)) hash.update(megabyte)
  return hash.digest('hex')
}

describe('a large artifact', () => {
  it('comes whole, with no more than the window on the way', OUTER, async () => {
    const hash = createHash('sha256')
    let arrived = 0
    let taken = 0
    let most = 0
    const going = run('keep megabytes', MEGABYTES, {
      async keep({ name }, bytes) {
        const { add } = bytes
        bytes.add = piece => {
          arrived += piece.length
          most = Math.max(most, arrived - taken)
          add(piece)
        }
        for (let piece = await bytes.next(); piece; piece = await bytes.next()) {
          taken += piece.length
          hash.update(piece)
        }
        return { name, bytes: taken, type: 'a/b', sha256: '' }
      },
    })
    assert.equal(await resultOf(going), 'kept')
    assert.equal(taken, MEGABYTES * 1024 ** 2)
    assert.equal(hash.digest('hex'), hashOf(MEGABYTES))
    // what was read is told a little later than it is counted here
    assert.ok(most <= WINDOW_BYTES + PIECE_BYTES, `${most} bytes on the way`)
  })

  it('waits while nobody takes it, and a few are sent at a time', OUTER, async () => {
    let going = 0
    let arrived = 0
    const run1 = run('keep megabytes', MEGABYTES, {
      keep(_artifact, bytes) {
        going += 1
        const { add } = bytes
        bytes.add = piece => {
          arrived += piece.length
          add(piece)
        }
        return new Promise(() => {})
      },
    })
    await until('the window is full', () => arrived >= WINDOW_BYTES)
    run1.cancel('enough', 10_000)
    assert.deepEqual((await run1.outcome).type, 'stopped')
    assert.deepEqual([going, arrived], [1, WINDOW_BYTES])
    let open = 0
    let most = 0
    const many = run('keep many at once', 100, {
      async keep({ name }, bytes) {
        open += 1
        most = Math.max(most, open)
        while ((await bytes.next()) !== null);
        open -= 1
        return { name, bytes: 1, type: 'a/b', sha256: '' }
      },
    })
    assert.equal(await resultOf(many), 100)
    assert.ok(most <= ARTIFACTS_AT_ONCE, `${most} at a time`)
  })
})

describe('a large upload', () => {
  const upload = (megabytes: number) => {
    const seen = { given: 0, closed: 0 }
    const files: Partial<RunFiles> = {
      find: async () => ({ name: null, bytes: megabytes * 1024 ** 2, type: 'a/b', sha256: '' }),
      async read() {
        const pieces = function* () {
          for (const megabyte of repeated(megabytes))
            for (let at = 0; at < megabyte.length; at += 65_536) {
              seen.given += 65_536
              yield megabyte.subarray(at, at + 65_536)
            }
        }
        return Readable.from(pieces(), { objectMode: false, highWaterMark: 65_536 }).on('close', () => {
          seen.closed += 1
        })
      },
    }
    return { seen, files }
  }

  it('is read whole', OUTER, async () => {
    const { files, seen } = upload(MEGABYTES)
    assert.equal(await resultOf(run('hash an upload', { $upload: UPLOAD }, files)), hashOf(MEGABYTES))
    await until('its stream is closed', () => seen.closed === 1)
  })

  it('is read from the store as far as the kind reads it, and closed with the run', OUTER, async () => {
    const { files, seen } = upload(MEGABYTES)
    assert.equal(await resultOf(run('read a little', { $upload: UPLOAD }, files)), 65_536)
    await until('its stream is closed', () => seen.closed === 1)
    // the window, and what two streams hold
    assert.ok(seen.given <= WINDOW_BYTES + 4 * PIECE_BYTES, `${seen.given} bytes were read`)
  })
})
