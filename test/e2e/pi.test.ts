// Pi as a user has it: a worker that is killed in the middle, and a long result that is read piece by piece.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { chudnovskyPi } from '../kinds/pi/yardstick.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const LIMIT = { timeout: 600_000 }
const DIGITS = process.env.PI_LONG === '1' ? 1_000_000 : 300_000

describe('pi in the bundle', LIMIT, () => {
  const { dataDir, remove } = makeDataDir()
  let bundle: Bundle
  before(async () => {
    bundle = await startBundle(dataDir, { CONCURRENCY: '2' })
  })
  after(async () => {
    await bundle?.kill()
    remove()
  })
  const ended = async (id: string): Promise<TaskRecord> => {
    await until('the task ends', () => bundle.stateFile(id).finishedAt !== null, 120_000)
    const task = bundle.stateFile(id)
    assert.equal(task.status, 'SUCCESS', JSON.stringify(task.error))
    return task
  }

  it('goes on from its checkpoint when its worker is killed with -9', LIMIT, async () => {
    const { id } = await bundle.submit({ kind: 'calcpi', params: { digits: 20_000, pace: 8 } })
    const percent = (): number => bundle.stateFile(id).progress?.percent ?? 0
    const file = path.join(dataDir, 'blobs', id.slice(-2), id, 'checkpoint.bin')
    const writtenAt = (): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
    await until('a tenth is done', () => percent() >= 10)
    // the first one that is written from now on may have been on its way; the second one knows of that tenth
    for (let time = 0; time < 2; time++) {
      const before = writtenAt()
      await until('a checkpoint is written', () => writtenAt() > before)
    }
    process.kill(await bundle.pidOf('worker'), 'SIGKILL')
    await until(
      'the second attempt reports',
      () => bundle.stateFile(id).attempt === 2 && bundle.stateFile(id).progress !== null,
    )
    assert.ok(percent() >= 10, `it went on at ${percent()} %`)
    const task = await ended(id)
    assert.equal(task.attempt, 2)
    assert.equal(task.result, chudnovskyPi(20_000))
  })

  it('serves a long result in ranges, and answers others meanwhile', LIMIT, async () => {
    const { id } = await bundle.submit({ kind: 'calcpi', params: { digits: DIGITS } })
    const task = await ended(id)
    assert.deepEqual([task.result, task.resultBytes], [null, DIGITS + 2])
    assert.equal((task.resultInfo as Record<string, unknown>).method, 'wijngaarden')
    const pi = chudnovskyPi(DIGITS)
    const url = `${bundle.api}/task/${id}/result`
    for (const [from, to] of [
      [0, 9],
      [762, 770],
      [DIGITS - 50, DIGITS + 1],
    ] as const) {
      const part = await fetch(url, { headers: { range: `bytes=${from}-${to}` } })
      assert.equal(part.status, 206)
      assert.equal(part.headers.get('content-range'), `bytes ${from}-${to}/${DIGITS + 2}`)
      assert.equal(await part.text(), pi.slice(from, to + 1))
    }
    // a reader that takes its time has got the head and a piece; the door answers others
    const slow = await fetch(url)
    const reader = slow.body?.getReader()
    assert.ok(reader)
    const chunks = [(await reader.read()).value ?? new Uint8Array()]
    for (let n = 0; n < 20; n++) assert.equal((await bundle.get(id)).status, 'SUCCESS')
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) chunks.push(piece.value)
    assert.equal(Buffer.concat(chunks).toString(), pi)
  })
})
