// The journals: what a cursor is good for while they grow, are cut, and end.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createDisk } from '../../../src/stores/files/disk.ts'
import {
  CUT_KEPT_MS,
  createJournals,
  type Journals,
  type Positions,
} from '../../../src/stores/files/log/journal.ts'
import { type JournalEntry, taskIdOf } from '../../../src/stores/files/log/journal-files.ts'
import { DEAD, ME, OTHER } from './parts.ts'

const entry = (id: string): JournalEntry => ({ type: 'removed', id, claim: 1 })
const HOUR = 3_600_000
const none = { entries: 0, ageMs: 0, bytes: 0 }

describe('the journals', () => {
  let folder: string
  let mine: Journals
  const open: Journals[] = []
  const of = (instance: string): Journals => {
    const journals = createJournals(folder, instance, createDisk())
    open.push(journals)
    return journals
  }
  /** Ids behind these positions, which are moved on. */
  const read = (journals: Journals, positions: Positions, until?: Positions): string[] => {
    const ids: string[] = []
    journals.read(positions, found => ids.push(taskIdOf(found) ?? ''), until)
    return ids
  }
  /** A process that wrote and died, and its journal was last written so long ago. */
  const dead = (instance: string, ids: readonly string[], agoMs = 2 * HOUR): string => {
    const journals = createJournals(folder, instance, createDisk())
    journals.append(ids.map(entry))
    journals.close()
    const file = journals.filesOf(instance).at(-1) ?? ''
    const then = new Date(Date.now() - agoMs)
    utimesSync(file, then, then)
    return file
  }
  const cut = (keep: Partial<Parameters<Journals['cut']>[0]> = {}): void =>
    mine.cut({ ...none, now: Date.now(), isAlive: id => id === ME, ...keep })

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'madhava-journals-'))
    mine = of(ME)
  })
  afterEach(() => {
    for (const journals of open.splice(0)) journals.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('let everybody read on from where they were, over all that write', () => {
    const [other, positions] = [of(OTHER), {}]
    mine.append([entry('a'), entry('b')])
    assert.deepEqual(read(mine, positions), ['a', 'b'])
    other.append([entry('c')])
    mine.append([entry('d')])
    assert.deepEqual(read(other, positions).sort(), ['c', 'd'])
    assert.deepEqual(read(mine, positions), [])
    assert.deepEqual(positions, mine.end())
  })

  it('tell nothing behind the place up to which they are to be read', () => {
    mine.append([entry('a')])
    const until = mine.end()
    mine.append([entry('b')])
    of(OTHER).append([entry('c')])
    assert.deepEqual(read(mine, {}, until), ['a'])
    const seen: string[] = []
    const positions: Positions = {}
    const stopped = mine.readSome(
      positions,
      found => {
        seen.push((found as { id: string }).id)
        return 'stop'
      },
      mine.end(),
    )
    assert.deepEqual([stopped, seen.length], [true, 1])
    assert.equal(read(mine, positions).length, 2)
  })

  it('give a follower its own entries once, in their place', () => {
    mine.append([entry('before')])
    const positions = mine.begin()
    mine.append([entry('a'), entry('b')])
    of(OTHER).append([entry('c')])
    const seen: string[] = []
    const follow = () => mine.follow(positions, found => seen.push((found as { id: string }).id))
    follow()
    follow()
    assert.deepEqual(seen, ['a', 'b', 'c'])
    assert.deepEqual(positions, mine.end())
  })

  it('pass over the torn end of a process that was killed', () => {
    const file = dead(DEAD, ['a'])
    appendFileSync(file, '{"type":"removed","id":"to')
    const positions: Positions = {}
    assert.deepEqual(read(mine, positions), ['a'])
    appendFileSync(file, 'rn\n{"type":"removed","id":"b","claim":1}\n')
    assert.deepEqual(read(mine, positions), ['b'])
  })

  it('see every file of the folder, also one that comes within a tick of the clock after a look', test => {
    // whole seconds, which the file system keeps exactly
    const changedMs = Math.floor(Date.now() / 1000) * 1000
    const changed = (): void => utimesSync(folder, new Date(changedMs), new Date(changedMs))
    for (const agoMs of [0, 50, 100]) {
      const clock = test.mock.method(Date, 'now', () => changedMs + agoMs)
      const name = String(agoMs).padStart(12, '0')
      changed()
      mine.end()
      writeFileSync(path.join(folder, `${name}.1.ndjson`), `${JSON.stringify(entry('x'))}\n`)
      changed()
      assert.ok(name in mine.end(), `${agoMs} ms after the change`)
      clock.mock.restore()
    }
  })

  it('hold what follows a cursor until it is cut, and the end of what was cut', () => {
    const file = dead(DEAD, ['a', 'b'])
    const { size } = statSync(file)
    const end = mine.end()
    assert.deepEqual(end, { [DEAD]: [1, size] })
    const before: Positions = { [DEAD]: [1, size - 1] }
    const beyond: Positions = { [DEAD]: [1, size + 1] }
    assert.deepEqual(
      [mine.holds(end), mine.holds(before), mine.holds(beyond), mine.holds({})],
      [true, true, false, true],
    )
    cut()
    assert.deepEqual(readdirSync(folder), [`${DEAD}.1.${size}.cut`])
    assert.equal(statSync(path.join(folder, `${DEAD}.1.${size}.cut`)).size, 0)
    // who stood at its end has missed nothing; everybody else has
    assert.deepEqual([mine.holds(end), mine.holds(before), mine.holds({})], [true, false, false])
    assert.equal(mine.holds({ [DEAD]: [2, 0] }), false)
    assert.deepEqual(mine.end(), end)
    mine.append([entry('c')])
    assert.equal(mine.holds(end), true)
    assert.deepEqual(read(mine, end), ['c'])
  })

  it('are cut only when there are enough younger entries, and they are old or too many bytes', () => {
    dead(DEAD, ['a'], 3 * HOUR)
    dead(OTHER, ['b', 'c'], 2 * HOUR)
    const cuts = (): number => readdirSync(folder).filter(name => name.endsWith('.cut')).length
    const keep = { entries: 2, ageMs: HOUR, bytes: 1_000_000 }
    cut({ ...keep, entries: 3 })
    cut({ ...keep, ageMs: 4 * HOUR })
    assert.equal(cuts(), 0)
    cut(keep)
    assert.deepEqual([cuts(), read(mine, {})], [1, ['b', 'c']])
    cut({ ...keep, entries: 0 })
    assert.equal(cuts(), 2)
  })

  it('are cut before their time where they are more bytes than they may, the youngest apart', () => {
    dead(DEAD, ['a'], 3 * HOUR)
    dead(OTHER, ['b'], 2 * HOUR)
    const { size } = statSync(path.join(folder, `${OTHER}.1.ndjson`))
    const young = { entries: 1, ageMs: 4 * HOUR }
    cut({ ...young, bytes: size })
    assert.equal(readdirSync(folder).filter(name => name.endsWith('.cut')).length, 0)
    cut({ ...young, bytes: size - 1 })
    assert.deepEqual(read(mine, {}), ['b'])
  })

  it('keep the one that a live process writes to, and its number is never used again', () => {
    mine.append([entry('a')])
    cut({ ageMs: -HOUR })
    assert.deepEqual(read(of(OTHER), {}), ['a'])
    mine.close()
    cut({ ageMs: -HOUR, isAlive: () => false })
    const later = of(ME)
    later.append([entry('b')])
    assert.deepEqual(later.filesOf(ME), [path.join(folder, `${ME}.2.ndjson`)])
  })

  it('keep a mark for its time, and of several of a process only the last', () => {
    const { size } = statSync(dead(DEAD, ['a']))
    cut()
    const mark = path.join(folder, `${DEAD}.1.${size}.cut`)
    cut({ now: statSync(mark).mtimeMs + CUT_KEPT_MS })
    assert.deepEqual(readdirSync(folder), [path.basename(mark)])
    dead(DEAD, ['b'])
    cut()
    cut()
    assert.deepEqual(readdirSync(folder), [`${DEAD}.2.${size}.cut`])
    cut({ now: Date.now() + CUT_KEPT_MS + HOUR })
    assert.deepEqual(readdirSync(folder), [])
    const positions = { [DEAD]: [2, size] as [number, number] }
    read(mine, positions)
    assert.deepEqual(positions, {})
  })
})
