// Files through a whole bundle whose processes are killed at random: no acknowledged file is lost, and when all is over
// nothing stands on the disk or in Redis that no record names.
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinal } from '../../src/core/task.ts'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { type FilesPlace, placeOfFiles, placeOfRedis } from '../support/files-places.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const [UPLOADS, KILLS] = process.env.E2E_LONG === '1' ? [400, 60] : [60, 8]
const CLIENTS = 8
const LIMIT_MS = 300_000

/** Copies an upload in two ways, with enough steps between that a kill meets each of them. */
const COPY = `import { setTimeout as sleep } from 'node:timers/promises'
export default ({ defineKind, z, upload }) => defineKind({
  summary: 'Copies an upload',
  params: z.object({ file: upload() }),
  result: z.string(),
  example: { file: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' } },
  maxAttempts: 1000,
  async run({ file }, ctx) {
    const given = await ctx.upload(file)
    await ctx.artifact('first.bin', given.stream())
    await sleep(20)
    const { createReadStream } = await import('node:fs')
    await ctx.artifact('second.bin', createReadStream(await given.path()), { type: 'application/x-copy' })
    return given.sha256
  },
})
`

interface Sent {
  sha256: string
  bytes: Buffer
  task: string
}

/** A look at everything takes a core from those who are looked at. */
const unhurried = (look: () => Promise<boolean>) => async (): Promise<boolean> => {
  if (await look()) return true
  await sleep(200)
  return false
}

/** What stands there and no record or document names, and what one names and is not there. */
const mismatches = async (place: FilesPlace): Promise<string[]> => {
  const found = await place.standing()
  const [there, wanted] = [new Set(found.there), new Set(found.wanted)]
  return [
    ...[...there].filter(word => !wanted.has(word)).map(word => `nobody's: ${word}`),
    ...[...wanted].filter(word => !there.has(word)).map(word => `missing: ${word}`),
  ]
}

const runKilled = async (
  t: TestContext,
  openPlace: (dataDir: string) => Promise<FilesPlace>,
): Promise<void> => {
  const { dataDir, remove } = makeDataDir()
  const place = await openPlace(dataDir)
  const kinds = path.join(dataDir, 'own-kinds')
  mkdirSync(kinds)
  writeFileSync(path.join(kinds, 'copy.mjs'), COPY)
  const port = await freePort()
  const bundle = await startBundle(dataDir, {
    KINDS_DIR: kinds,
    CONCURRENCY: '4',
    API_PORT: String(port),
    // what was uploaded and not acknowledged is nobody's: it goes after this
    UPLOAD_TTL: '5s',
    ...place.settings,
  })
  undo(t, async () => {
    await bundle.stop()
    await place.close()
    remove()
  })
  const api = `http://127.0.0.1:${port}`

  /** Until it is answered well: the api is killed again and again. */
  const insist = async <T>(what: string, ask: () => Promise<T | null>): Promise<T> => {
    let answer: T | null = null
    await until(
      what,
      async () => {
        answer = await ask().catch(() => null)
        if (answer === null) await sleep(50)
        return answer !== null
      },
      LIMIT_MS,
    )
    return answer as T
  }
  const sent: Sent[] = []
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const bytes = randomBytes(randomInt(1, 400_000))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      // the answer to a submit may be lost: the key finds the task that was made
      const key = randomUUID()
      const task = await insist('a task is accepted', async () => {
        const uploaded = await fetch(`${api}/uploads?sha256=${sha256}`, { method: 'POST', body: bytes })
        if (uploaded.status !== 201) return null
        const { id } = (await uploaded.json()) as { id: string }
        const submitted = await fetch(`${api}/tasks`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': key },
          body: JSON.stringify({ kind: 'copy', params: { file: { $upload: id } } }),
        })
        // another upload under the key: the task was made, and its answer lost
        if (submitted.status === 422)
          return ((await submitted.json()) as { code: string }).code === 'IDEMPOTENCY_MISMATCH'
            ? 'made'
            : null
        return submitted.status === 202 ? ((await submitted.json()) as { id: string }).id : null
      })
      if (task !== 'made') sent.push({ sha256, bytes, task })
    }
  }
  const phase = (what: string): void => t.diagnostic(`after ${Math.round(process.uptime())} s: ${what}`)
  let left = UPLOADS
  let kills = 0
  /** The kills fall between the uploads, however quick the machine is. */
  const killer = async (): Promise<void> => {
    while (kills < KILLS) {
      const next = Math.floor((UPLOADS * (kills + 1)) / (KILLS + 1))
      await until('files go up', () => UPLOADS - left >= next, LIMIT_MS)
      await sleep(randomInt(100))
      for (const pid of await place.pidsOf(kills % 2 === 0 ? 'api' : 'worker'))
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // it has died before
        }
      kills += 1
    }
  }
  await Promise.all([killer(), ...Array.from({ length: CLIENTS }, client)])
  phase(`${kills} kills while ${UPLOADS} files went up and ${sent.length} tasks were acknowledged`)

  await until(
    'every task has ended',
    async () => (await place.records()).every(({ status }) => isFinal(status)),
    LIMIT_MS,
  )
  const records = new Map((await place.records()).map(record => [record.id, record]))
  phase('every task has ended')
  for (const { task, sha256, bytes } of sent) {
    const record = records.get(task) ?? assert.fail(`${task} is lost`)
    assert.deepEqual(
      [record.status, record.result, record.artifacts?.map(({ name, sha256: sum }) => [name, sum])],
      [
        'SUCCESS',
        sha256,
        [
          ['first.bin', sha256],
          ['second.bin', sha256],
        ],
      ],
    )
    const answer = await insist('an artifact is sent', async () => {
      const sending = await fetch(`${api}/task/${task}/artifacts/second.bin`)
      return sending.ok ? Buffer.from(await sending.arrayBuffer()) : null
    })
    assert.ok(answer.equals(bytes), task)
  }
  phase('every artifact is right')
  const isSettled = unhurried(async () => (await mismatches(place)).length === 0)
  await until('nothing is left that nobody names', isSettled, LIMIT_MS).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${(await mismatches(place)).slice(0, 20).join('\n')}`)
  })

  phase('nothing is left that nobody names')
  await insist('all tasks are deleted', async () => {
    const deleted = await fetch(`${api}/tasks/delete?kind=copy`, { method: 'POST' })
    return deleted.ok && (await place.records()).length === 0 ? true : null
  })
  await until('no file is left', isSettled, LIMIT_MS)
  assert.deepEqual(await place.standing(), { there: [], wanted: [] })
}

const skip = requireService('redis')

describe('files of a bundle whose processes are killed', { timeout: 1_800_000 }, () => {
  it('are all there when acknowledged, and leave nothing behind', t =>
    runKilled(t, async dataDir => placeOfFiles(dataDir)))

  it('are all there when acknowledged, and leave nothing behind, in Redis', { skip }, t =>
    runKilled(t, async dataDir => {
      const redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } })
      undo(t, () => redis.remove())
      return placeOfRedis(redis, dataDir)
    }),
  )
})
