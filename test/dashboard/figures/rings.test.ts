// Figures in their file: what is kept, for how long, and what a kill or a damage leaves.
import assert from 'node:assert/strict'
import { mkdtemp, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import {
  COLUMN_NAMES,
  COLUMNS,
  type ColumnName,
  decodeRow,
  encodeRow,
  isWholeRow,
  noValues,
  ROW_BYTES,
} from '../../../src/dashboard/figures/columns.ts'
import { FILE_BYTES, openRings, type Rings, SPANS } from '../../../src/dashboard/figures/rings.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { startChild } from '../../support/child.ts'
import { keepingLog } from '../../support/keeping-log.ts'

const NOON = Date.UTC(2030, 0, 1, 12)
const SECOND = 1_000
const sample = (at: number, cpu: number) => ({ ...noValues(), at, cpu })

describe('the rings of figures', { timeout: 300_000 }, () => {
  let folder: string
  let file: string
  let rings: Rings
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'madhava-figures-'))
    file = path.join(folder, 'figures')
    rings = await openRings(file, silentLog())
  })
  afterEach(async () => {
    await rings.close()
    await rm(folder, { recursive: true, force: true })
  })
  const reopen = async (): Promise<void> => {
    await rings.close()
    rings = await openRings(file, silentLog())
  }
  const known = (span: 'hour' | 'week', now: number) => {
    const times = rings.times(span, now)
    const loads = rings.column(span, 'cpu', times)
    return times.flatMap((at, place) => (loads[place] === null ? [] : [[at, loads[place]]]))
  }

  it('keeps an hour by ten seconds and a week by minutes, in a file that never grows', async () => {
    const { size } = await stat(file)
    assert.equal(size, FILE_BYTES)
    assert.ok(size < 5_000_000)
    const weekMs = SPANS.week.rows * SPANS.week.everyMs
    for (let at = NOON; at < NOON + weekMs + 600 * SECOND; at += 60 * SECOND) rings.put('week', sample(at, 1))
    const end = NOON + weekMs + 600 * SECOND - 60 * SECOND
    for (let at = end - 7_200 * SECOND; at <= end; at += 10 * SECOND) rings.put('hour', sample(at, 2))
    await reopen()
    assert.equal((await stat(file)).size, FILE_BYTES)
    assert.equal(known('week', end).length, SPANS.week.rows)
    assert.equal(known('hour', end).length, SPANS.hour.rows)
    assert.deepEqual(known('hour', end)[0], [end - 3_590 * SECOND, 2])
  })

  it('shows the time in which nothing was written as a gap, and nothing before the first row', async () => {
    rings.put('hour', sample(NOON, 10))
    rings.put('hour', sample(NOON + 40 * SECOND, 20))
    await reopen()
    const times = rings.times('hour', NOON + 59 * SECOND)
    const loads = rings.column('hour', 'cpu', times)
    assert.deepEqual(
      times.map((at, place) => [(at - NOON) / SECOND, loads[place]]),
      [
        [0, 10],
        [10, null],
        [20, null],
        [30, null],
        [40, 20],
        [50, null],
      ],
    )
    // an hour later the place holds a row of another time
    assert.deepEqual(known('hour', NOON + 3_600 * SECOND + 30 * SECOND), [[NOON + 40 * SECOND, 20]])
    assert.deepEqual(known('hour', NOON + 7_200 * SECOND), [])
  })

  it('does not show rows of a future from which the clock came back', async () => {
    rings.put('hour', sample(NOON, 1))
    rings.put('hour', sample(NOON + 600 * SECOND, 2))
    assert.deepEqual(known('hour', NOON), [[NOON, 1]])
  })

  it('passes over rows that are damaged, and keeps the others', async () => {
    for (let step = 0; step < 10; step += 1) rings.put('hour', sample(NOON + step * 10_000, step))
    await rings.close()
    const bytes = await readFile(file)
    const row = encodeRow(sample(NOON + 30_000, 3))
    const place = bytes.indexOf(row)
    assert.notEqual(place, -1)
    // half of it is of another row, as a torn write leaves it
    const handle = await open(file, 'r+')
    await handle.write(encodeRow(sample(NOON + 30_000, 99)), 0, 20, place)
    await handle.close()
    rings = await openRings(file, silentLog())
    assert.deepEqual(
      known('hour', NOON + 90_000).map(([, cpu]) => cpu),
      [0, 1, 2, 4, 5, 6, 7, 8, 9],
    )
    rings.put('hour', sample(NOON + 30_000, 33))
    assert.equal(rings.at('hour', NOON + 30_000)?.cpu, 33)
  })

  it('loses nothing that was written when its process is killed in the middle of writing', async () => {
    await rings.close()
    for (const least of [20, 60, 500]) {
      await rm(file)
      const child = startChild<{ step: number }>('figures-writer.ts', { file, from: NOON })
      await child.line(({ step }) => step >= least)
      await child.kill()
      const last = child.lines.at(-1)?.step ?? 0
      rings = await openRings(file, silentLog())
      // it tells every twentieth row, and those after it may stand in the places of the oldest
      for (let step = Math.max(0, last - SPANS.hour.rows + 40); step <= last; step += 1)
        assert.equal(rings.at('hour', NOON + step * 10_000)?.PENDING, step, `row ${step} of ${last}`)
      assert.equal(rings.at('week', NOON + last * 10_000)?.at, NOON + Math.floor(last / 6) * 60_000)
      await rings.close()
    }
  })

  it('begins anew where the file is of something else, and makes none where it cannot', async () => {
    await rings.close()
    await writeFile(file, 'something else')
    rings = await openRings(file, silentLog())
    rings.put('hour', sample(NOON, 5))
    await reopen()
    assert.deepEqual(known('hour', NOON), [[NOON, 5]])

    await rings.close()
    const elsewhere = path.join(folder, 'elsewhere')
    await writeFile(elsewhere, 'not ours')
    await rm(file)
    await symlink(elsewhere, file)
    const { log, lines } = keepingLog()
    rings = await openRings(file, log)
    rings.put('hour', sample(NOON, 6))
    assert.deepEqual(known('hour', NOON), [[NOON, 6]], 'they are in memory')
    await rings.close()
    assert.equal(await readFile(elsewhere, 'utf8'), 'not ours')
    assert.deepEqual(
      lines().map(({ level, message }) => [level, message]),
      [['warn', 'the figures of the dashboard cannot be kept']],
    )
  })

  it('reads each row as it was written, to the digits of its column, and tells every damage', () => {
    const amountOf = (name: ColumnName) =>
      fc.option(fc.integer({ min: 0, max: 99_999 }).map(number => number / (COLUMNS[name].decimals ? 10 : 1)))
    const values = fc.record(Object.fromEntries(COLUMN_NAMES.map(name => [name, amountOf(name)])))
    fc.assert(
      fc.property(values, fc.nat(ROW_BYTES - 1), fc.integer({ min: 1, max: 255 }), (given, place, flip) => {
        const row = encodeRow({ ...noValues(), ...given, at: NOON })
        assert.equal(row.length, ROW_BYTES)
        assert.ok(isWholeRow(row))
        assert.deepEqual(decodeRow(row), { ...given, at: NOON })
        row[place] = (row[place] ?? 0) ^ flip
        assert.equal(isWholeRow(row), false)
      }),
    )
    assert.equal(isWholeRow(Buffer.alloc(ROW_BYTES)), false)
  })
})
