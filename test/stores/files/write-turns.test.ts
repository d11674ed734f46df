// The turns of writers of documents: one at a time, and none stopped by a dead one.
import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createDisk } from '../../../src/stores/files/disk.ts'
import { createWriteTurns, type DocumentPlace } from '../../../src/stores/files/documents/write-turns.ts'
import { createLayout } from '../../../src/stores/files/layout.ts'
import { createTurnFiles } from '../../../src/stores/files/turn-files.ts'
import { refused } from '../../suites/store/world.ts'
import { DEAD, ME, OTHER } from './parts.ts'

let dir: string
const run = (...names: string[]): string => path.join(dir, 'run', ...names)
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'madhava-turns-'))
  mkdirSync(run())
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const PLACE: DocumentPlace = { collection: 'accounts', name: 'a' }
const names = (): string[] => readdirSync(run()).sort()

const turnsOf = (instance: string, patienceMs?: number) => {
  const unfinished: DocumentPlace[] = []
  const turns = createWriteTurns({
    layout: createLayout(dir),
    disk: createDisk(),
    instances: { instance, isAlive: async id => id !== DEAD },
    onUnfinished: async place => void unfinished.push(place),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  })
  return { ...turns, unfinished }
}

describe('turns of writers', { timeout: 300_000 }, () => {
  it('come one after another, within a process and between processes', async () => {
    const [one, other] = [turnsOf(ME), turnsOf(OTHER)]
    let inside = 0
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? one : other).inTurn(PLACE, async () => {
          inside += 1
          assert.equal(inside, 1)
          await new Promise(resolve => setImmediate(resolve))
          inside -= 1
          return n
        }),
      ),
    )
    assert.deepEqual(
      done,
      Array.from({ length: 20 }, (_, n) => n),
    )
    assert.deepEqual([...one.unfinished, ...other.unfinished], [])
    // the last two stay, and nothing else
    assert.deepEqual(names(), ['documents.19', 'documents.20'])
    assert.equal(readlinkSync(run('documents.20')), 'free')
  })

  it('go on after work that failed', async () => {
    const one = turnsOf(ME)
    await assert.rejects(
      one.inTurn(PLACE, () => Promise.reject(new Error('no'))),
      /^Error: no$/,
    )
    assert.equal(await turnsOf(OTHER).inTurn(PLACE, async () => 'done'), 'done')
  })

  it('are not held up by a dead process, and what it wrote is told once', async () => {
    symlinkSync(`${DEAD}/accounts/b`, run('documents.7'))
    const one = turnsOf(ME)
    await one.settle()
    assert.deepEqual(one.unfinished, [{ collection: 'accounts', name: 'b' }])
    await one.settle()
    await one.inTurn(PLACE, async () => {})
    await turnsOf(OTHER).settle()
    assert.equal(one.unfinished.length, 1)
    symlinkSync(`${DEAD}/secrets/c`, run('documents.10'))
    await one.inTurn(PLACE, async () => {
      // before anything new is written
      assert.deepEqual(one.unfinished[1], { collection: 'secrets', name: 'c' })
    })
  })

  it('of a process that lives and does not get on end in an error that says so', async () => {
    symlinkSync(`${OTHER}/accounts/b`, run('documents.1'))
    const one = turnsOf(ME, 50)
    await refused(() => one.inTurn(PLACE, async () => assert.fail('it is not our turn')), 'STORE_UNAVAILABLE')
    await one.settle()
    assert.deepEqual([one.unfinished, names()], [[], ['documents.1']])
  })

  it('that do not get on fail all who wait for them after the same time', async () => {
    symlinkSync(`${OTHER}/accounts/b`, run('documents.1'))
    const one = turnsOf(ME, 200)
    const begun = performance.now()
    const ends: number[] = []
    for (const end of await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        one.inTurn(PLACE, async () => {}).finally(() => ends.push(performance.now() - begun)),
      ),
    ))
      assert.equal(end.status, 'rejected')
    // one after another they would take twenty times as long
    assert.ok((ends.at(-1) ?? 0) < 10 * (ends[0] ?? 0), `they ended after ${ends.map(Math.round)} ms`)
  })

  it('that this process could not give back are over', async () => {
    symlinkSync(`${ME}/accounts/b`, run('documents.1'))
    const one = turnsOf(ME, 50)
    assert.equal(await one.inTurn(PLACE, async () => 'done'), 'done')
    assert.deepEqual(one.unfinished, [{ collection: 'accounts', name: 'b' }])
  })

  it('are not read from what is none', async () => {
    mkdirSync(run('documents.0'))
    mkdirSync(run('documents.00'))
    symlinkSync(`${OTHER}/accounts/a`, run('documents.999999999999999'))
    for (const [n, target] of ['', 'x', `${OTHER}/nothing/a`, `${OTHER}/accounts/`].entries())
      symlinkSync(target || '.', run(`documents.${n + 1}`))
    symlinkSync(`${OTHER}/accounts/a`, run('documents.x'))
    symlinkSync(`${OTHER}/accounts/a`, run('documents2.99'))
    assert.equal(await turnsOf(ME, 50).inTurn(PLACE, async () => 'done'), 'done')
  })
})

describe('the files of turns', () => {
  it('are made beside what is no turn, which nobody can tidy away', () => {
    const files = createTurnFiles(run(), 'lock', createDisk())
    mkdirSync(run('lock.1'))
    writeFileSync(run('lock.2'), 'no link')
    for (let n = 3; n < 6; n += 1) assert.equal(files.take(files.last(), `turn ${n}`), true)
    assert.deepEqual(names(), ['lock.1', 'lock.4', 'lock.5'])
  })

  it('are made by one of those who saw the same last turn', () => {
    const files = createTurnFiles(run(), 'lock', createDisk())
    const last = files.last()
    assert.deepEqual(last, { number: 0, target: null })
    assert.equal(files.take(last, 'one'), true)
    assert.equal(files.take(last, 'other'), false)
    assert.deepEqual(files.last(), { number: 1, target: 'one' })
  })

  it('are not made by whoever paused while others took many', () => {
    const files = createTurnFiles(run(), 'lock', createDisk())
    const seen = files.last()
    for (let n = 0; n < 5; n += 1) assert.equal(files.take(files.last(), `turn ${n}`), true)
    assert.deepEqual(names(), ['lock.4', 'lock.5'])
    // its number was tidied away, so the name is free
    assert.equal(files.take(seen, 'late'), false)
    assert.deepEqual(names(), ['lock.4', 'lock.5'])
    assert.equal(files.last().target, 'turn 4')
  })
})
