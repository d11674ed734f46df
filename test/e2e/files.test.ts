// Files through a whole bundle whose processes are killed at random: no acknowledged file is lost, and when all is over
// nothing stands on the disk that no record names.
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinal, type TaskRecord } from '../../src/core/task.ts'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
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

/** Every file below a folder of the data folder, by its path in it. */
const filesIn = (dataDir: string, folder: string): string[] => {
  const top = path.join(dataDir, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(dataDir, path.join(entry.parentPath, entry.name)))
}

const recordsIn = (dataDir: string): TaskRecord[] =>
  filesIn(dataDir, 'tasks')
    .filter(file => file.endsWith('.json'))
    .map(file => JSON.parse(readFileSync(path.join(dataDir, file), 'utf8')) as TaskRecord)

/** What stands there and no record or document names, and what one names and is not there. */
const mismatches = (dataDir: string): string[] => {
  const wanted = new Set<string>()
  for (const { id, artifacts = [], params } of recordsIn(dataDir)) {
    for (const { file } of artifacts) wanted.add(path.join('blobs', id.slice(-2), id, file))
    const upload = (params as { file?: { $upload?: string } }).file?.$upload ?? ''
    wanted.add(path.join('upload-bytes', upload.slice(-2), upload))
    wanted.add(path.join('uploads', `${upload}.json`))
    wanted.add(path.join('upload-uses', `${upload}.${id}.json`))
  }
  const there = new Set([
    ...filesIn(dataDir, 'blobs').filter(
      file => path.basename(file).startsWith('artifact.') || file.endsWith('.tmp'),
    ),
    ...['upload-bytes', 'uploads', 'upload-uses'].flatMap(folder => filesIn(dataDir, folder)),
    // who has the folder, as long as that worker lives
    ...filesIn(dataDir, 'scratch').filter(file => path.basename(file) !== 'owner'),
  ])
  return [
    ...[...there].filter(file => !wanted.has(file)).map(file => `nobody's: ${file}`),
    ...[...wanted].filter(file => !there.has(file)).map(file => `missing: ${file}`),
  ]
}

describe('files of a bundle whose processes are killed', { timeout: 1_800_000 }, () => {
  it('are all there when acknowledged, and leave nothing behind', async t => {
    const { dataDir, remove } = makeDataDir()
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
    })
    t.after(async () => {
      await bundle.stop()
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
    let left = UPLOADS
    let kills = 0
    /** The kills fall between the uploads, however quick the machine is. */
    const killer = async (): Promise<void> => {
      while (kills < KILLS) {
        const next = Math.floor((UPLOADS * (kills + 1)) / (KILLS + 1))
        await until('files go up', () => UPLOADS - left >= next, LIMIT_MS)
        await sleep(randomInt(100))
        const role = ['api', 'worker'][kills % 2]
        for (const file of filesIn(dataDir, 'run').filter(name => name.endsWith('.json')))
          try {
            const presence = JSON.parse(readFileSync(path.join(dataDir, file), 'utf8')) as {
              role: string
              pid: number
            }
            if (presence.role === role) process.kill(presence.pid, 'SIGKILL')
          } catch {
            // it has died before
          }
        kills += 1
      }
    }
    await Promise.all([killer(), ...Array.from({ length: CLIENTS }, client)])
    t.diagnostic(`${kills} kills while ${UPLOADS} files went up and ${sent.length} tasks were acknowledged`)

    await until(
      'every task has ended',
      () => recordsIn(dataDir).every(({ status }) => isFinal(status)),
      LIMIT_MS,
    )
    for (const { task, sha256, bytes } of sent) {
      const record = bundle.stateFile(task)
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
    await until('nothing is left that nobody names', () => mismatches(dataDir).length === 0, LIMIT_MS).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${mismatches(dataDir).slice(0, 20).join('\n')}`)
      },
    )

    await insist('all tasks are deleted', async () => {
      const deleted = await fetch(`${api}/tasks/delete?kind=copy`, { method: 'POST' })
      return deleted.ok && recordsIn(dataDir).length === 0 ? true : null
    })
    await until('no file is left', () => mismatches(dataDir).length === 0, LIMIT_MS)
    assert.deepEqual([...filesIn(dataDir, 'upload-bytes'), ...filesIn(dataDir, 'blobs')], [])
  })
})
