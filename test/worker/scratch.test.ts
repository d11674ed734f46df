// The folder that an attempt has to itself: made when it is asked for, gone with the attempt, however that ends.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import type { SeenPresence } from '../../src/core/store.ts'
import type { Json } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { markOf, markPrefix } from '../../src/platform/process-mark.ts'
import { thisProcess } from '../../src/platform/process-proof.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import filer from './filer.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const FILER = fileURLToPath(new URL('./filer.ts', import.meta.url))
const HOUR_MS = 3_600_000
const threads = openPool(2)
after(() => threads.close())

const folderOf = async (t: TestContext): Promise<string> => {
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-scratch-'))
  undo(t, () => rm(dir, { recursive: true }))
  return dir
}
const open = (dir: string, alive: string[] = [], clock = () => new Date()) =>
  createScratch({
    dir,
    store: {
      instance: 'me',
      presences: async () => alive.map(instance => ({ instance, alive: true }) as SeenPresence),
    },
    storeId: 'store',
    clock,
    log: silentLog(),
  })

describe('the folder of an attempt', () => {
  const start = async (t: TestContext) => {
    const dir = await folderOf(t)
    const scratch = open(dir)
    const kinds = createKinds([loadKind('filer', filer, 'filer.ts')])
    const world = setUp(t, threads, { kinds, files: { filer: FILER }, scratch })
    const { runner } = world.openRunner('w1')
    return {
      ...world,
      dir,
      runner,
      scratch,
      submit: (act: string, value: Json = null) => world.submit(act, value, { kind: 'filer' }),
    }
  }
  const isGone = (folder: string) => until('the folder is gone', () => !existsSync(folder))

  it('is private, is there as long as the attempt, and may have anything in it', OUTER, async t => {
    const world = await start(t)
    const id = await world.submit('use its folder')
    await (await world.runner.take())?.ended
    const { result, error } = await world.get(id)
    assert.equal(error, null)
    const { folder, mode, same } = result as { folder: string; mode: number; same: boolean }
    assert.equal(folder, path.join(world.dir, 'me', `${id}.1`))
    assert.deepEqual([mode, same], [0o700, true])
    await isGone(folder)
  })

  it('is not made for an attempt that does not ask for it', OUTER, async t => {
    const world = await start(t)
    await world.submit('keep many at once', 1)
    await (await world.runner.take())?.ended
    assert.deepEqual(await readdir(world.dir), [])
  })

  it('is gone when the thread was killed, or has ended itself', OUTER, async t => {
    const world = await start(t)
    const waits = await world.submit('use its folder and wait')
    const taken = await world.runner.take()
    await world.reports(waits)
    const folder = (await world.get(waits)).progress?.note ?? ''
    assert.ok(existsSync(path.join(folder, 'file')))
    await world.client.revoke(waits, new Date().toISOString())
    await taken?.ended
    await isGone(folder)
    const exits = await world.submit('use its folder and exit')
    await (await world.runner.take())?.ended
    const [made = ''] = (await world.log(exits)).split('\n')
    await isGone(made.slice(made.indexOf('/')))
  })
})

describe('the folders of attempts', () => {
  const owned = async (dir: string, instance: string, owner: string | null, ageMs = 0): Promise<string> => {
    const folder = path.join(dir, instance)
    await mkdir(path.join(folder, 'task.1', 'inner'), { recursive: true })
    if (owner !== null) await writeFile(path.join(folder, 'owner'), owner)
    const then = new Date(Date.now() - ageMs)
    await utimes(folder, then, then)
    return folder
  }
  /** Of a process of this host that is certainly gone. */
  const deadHere = (): string => {
    const { pid, startedTicks } = thisProcess()
    const mark = markOf(markPrefix('store'), 'worker', 0)
    return mark.replace(`:${pid}:${startedTicks}:`, `:${pid}:1:`)
  }
  const elsewhere = 'otherspace12:7:7:store:worker:0'

  it('that no attempt uses are removed, also what was shut', async t => {
    const dir = await folderOf(t)
    const scratch = open(dir)
    const used = scratch.pathOf('used', 1)
    await mkdir(used, { recursive: true })
    const left = path.join(dir, 'me', 'left.1')
    await mkdir(path.join(left, 'shut', 'deep'), { recursive: true })
    await chmod(path.join(left, 'shut'), 0o000)
    await scratch.sweep()
    assert.deepEqual((await readdir(path.join(dir, 'me'))).toSorted(), ['owner', 'used.1'])
    await scratch.close()
    assert.deepEqual(await readdir(dir), [])
  })

  it('of a worker are removed by another one of this host as soon as it is proved dead', async t => {
    const dir = await folderOf(t)
    const gone = await owned(dir, 'gone', `${deadHere()}\n${hostname()}\n`)
    const lives = await owned(dir, 'lives', `${markOf(markPrefix('store'), 'worker', 0)}\n`, 100 * HOUR_MS)
    await open(dir).sweep()
    assert.deepEqual([existsSync(gone), existsSync(lives)], [false, true])
  })

  it('of another host stay, unless nobody has touched them for a day and the store knows nobody', async t => {
    const dir = await folderOf(t)
    const recent = await owned(dir, 'recent', `${elsewhere}\nanother-host\n`, 2 * HOUR_MS)
    const known = await owned(dir, 'known', `${elsewhere}\nanother-host\n`, 100 * HOUR_MS)
    const old = await owned(dir, 'old', `${elsewhere}\nanother-host\n`, 25 * HOUR_MS)
    const booted = await owned(dir, 'booted', `${elsewhere}\n${hostname()}\n`, HOUR_MS)
    const starts = await owned(dir, 'starts', null)
    await open(dir, ['known']).sweep()
    assert.deepEqual(
      [recent, known, old, booted, starts].map(folder => existsSync(folder)),
      [true, true, false, false, true],
    )
  })

  it('are swept without a word about what stands beside them and is none', async t => {
    const dir = await folderOf(t)
    await writeFile(path.join(dir, 'a file'), '')
    await mkdir(path.join(dir, '.dotted'))
    await utimes(path.join(dir, '.dotted'), 1, 1)
    await open(dir).sweep()
    assert.deepEqual((await readdir(dir)).toSorted(), ['.dotted', 'a file', 'me'])
  })
})
