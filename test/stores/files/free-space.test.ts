// How much of a disk is refused to whom, by figures of the test's own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDisk } from '../../../src/stores/files/disk.ts'
import { createFreeSpace, type DiskFigures } from '../../../src/stores/files/free-space.ts'

const MIB = 1024 ** 2
const RESERVE = 64 * MIB

const setUp = (reserveBytes = RESERVE) => {
  const figures: DiskFigures = { bsize: 1, blocks: 10 * 1024 * MIB, bavail: 0, files: 1e6, ffree: 1e6 }
  const world = { figures, now: 0, looks: 0 }
  const space = createFreeSpace({
    dir: '/',
    reserveBytes,
    statfs() {
      world.looks += 1
      return { ...figures }
    },
    now: () => world.now,
  })
  /** With so much left, as of the next reading. */
  const withFree = (bytes: number, inodes = 1e6) => {
    Object.assign(figures, { bavail: bytes, ffree: inodes })
    world.now += 1_000
  }
  return { space, world, withFree }
}
const full = { code: 'STORE_FULL' }

describe('the free space', () => {
  it('is for everybody above the reserve, for those that run in its first half, for what they end in to the last', () => {
    const { space, withFree } = setUp()
    const may = () => ({
      takesNew: space.trouble() === null,
      begins: space.mayBegin(),
      writesLarge: (() => {
        try {
          space.forBytes(8 * MIB)
          return true
        } catch {
          return false
        }
      })(),
    })
    const all = { takesNew: true, begins: true, writesLarge: true }
    for (const [free, expected] of [
      [RESERVE + 100 * MIB, all],
      [RESERVE, all],
      [RESERVE - 1, { ...all, takesNew: false }],
      [RESERVE / 2 + 8 * MIB, { ...all, takesNew: false }],
      [RESERVE / 2 + 8 * MIB - 1, { takesNew: false, begins: true, writesLarge: false }],
      [RESERVE / 2 - 1, { takesNew: false, begins: false, writesLarge: false }],
    ] as const) {
      withFree(free)
      assert.deepEqual(may(), expected, `${free} bytes`)
    }
    // what is small is written into the last byte
    withFree(10)
    space.forBytes(MIB - 1)
  })

  it('is refused by its inodes as well, and by neither where nothing is reserved', () => {
    const { space, withFree } = setUp()
    withFree(100 * RESERVE, 1_000)
    assert.throws(() => space.forNewTask(), full)
    assert.equal(space.mayBegin(), true)
    withFree(100 * RESERVE, 500)
    assert.equal(space.mayBegin(), false)
    const open = setUp(0)
    open.withFree(0, 0)
    open.space.forNewTask()
    open.space.forBytes(100 * MIB)
    assert.equal(open.space.mayBegin(), true)
  })

  it('is read again before its time when a burst may have used it up, and not with each write', () => {
    const { space, world, withFree } = setUp()
    const disk = space.watch({ ...createDisk(), write() {} })
    withFree(RESERVE + 12 * MIB)
    space.forNewTask()
    const before = world.looks
    disk.write('/x', 'x'.repeat(MIB / 2))
    space.forNewTask()
    assert.equal(world.looks, before)
    // a text stands there three times: as a state file, in the log and in the feed
    world.figures.bavail = RESERVE - 1
    for (let n = 0; n < 3; n += 1) disk.write('/x', 'x'.repeat(MIB / 2))
    disk.write('/x', 'x'.repeat(MIB / 4))
    assert.throws(() => space.forNewTask(), full)
    withFree(100 * RESERVE, 1_024 + 1_000)
    space.forNewTask()
    world.figures.ffree = 0
    for (let n = 0; n < 500; n += 1) disk.write('/x', '')
    assert.throws(() => space.forNewTask(), full)
  })
})
