// Setting a state file aside: in an order in which nothing is lost, and without overwriting what was set aside before.
import assert from 'node:assert/strict'
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { createLayout, type Layout, parseId } from '../../../src/stores/files/layout.ts'
import { createQuarantine } from '../../../src/stores/files/quarantine.ts'
import { newTask } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

const id = parseId('01890000-0000-7000-8000-0000000000ab')

const setUp = (test: TestContext, over: (layout: Layout) => Partial<Layout> = () => ({})) => {
  const layout = createLayout(mkdtempSync(path.join(os.tmpdir(), 'madhava-quarantine-')))
  undo(test, () => rmSync(layout.dir, { recursive: true, force: true }))
  for (const folder of [layout.taskFolder(id), layout.blobFolder(id)]) mkdirSync(folder, { recursive: true })
  const taken: string[] = []
  const quarantine = createQuarantine({
    layout: { ...layout, ...over(layout) },
    log: silentLog(),
    onTaken: id => void taken.push(id),
  })
  return { layout, quarantine, taken, aside: () => readdirSync(path.join(layout.dir, 'broken')).sort() }
}

describe('setting a broken state file aside', () => {
  it('moves the blobs before their state file, since a sweep deletes blobs without a task', test => {
    const stood: boolean[] = []
    const { layout, quarantine, taken, aside } = setUp(test, plain => ({
      blobFolder(of) {
        stood.push(existsSync(plain.task(of)))
        return plain.blobFolder(of)
      },
    }))
    writeFileSync(layout.task(id), 'broken')
    writeFileSync(path.join(layout.blobFolder(id), 'log.txt'), 'kept')
    quarantine.take(id)
    assert.deepEqual(stood, [true])
    assert.deepEqual(aside(), [`${id}.blobs`, `${id}.json`])
    assert.deepEqual([taken, quarantine.counters().quarantine], [[id], 1])
  })

  it('leaves a task whole whose holder writes a good record at that moment: its blobs come back, too', test => {
    const { layout, quarantine, taken, aside } = setUp(test, plain => ({
      blobFolder(of) {
        writeFileSync(plain.task(of), JSON.stringify({ ...newTask(), id: of }))
        return plain.blobFolder(of)
      },
    }))
    writeFileSync(layout.task(id), 'broken')
    for (const name of ['log.txt', 'checkpoint.bin'])
      writeFileSync(path.join(layout.blobFolder(id), name), 'kept')
    quarantine.take(id)
    assert.deepEqual([aside(), taken, quarantine.counters().quarantine], [[], [], 0])
    assert.deepEqual(readdirSync(layout.blobFolder(id)).sort(), ['checkpoint.bin', 'log.txt'])
    assert.equal(existsSync(layout.task(id)), true)
  })

  it('leaves a file where it is that the disk could not read this time', test => {
    const { layout, quarantine, taken } = setUp(test)
    writeFileSync(layout.task(id), JSON.stringify({ ...newTask(), id }))
    writeFileSync(path.join(layout.blobFolder(id), 'log.txt'), 'kept')
    const { openSync } = fs
    const failing = (file: fs.PathLike, ...rest: [fs.OpenMode]): number => {
      if (path.basename(String(file)).startsWith(id))
        throw Object.assign(new Error('the disk fails'), { code: 'EIO' })
      return openSync(file, ...rest)
    }
    fs.openSync = failing
    syncBuiltinESMExports()
    try {
      for (let n = 0; n < 2; n += 1) quarantine.take(id)
    } finally {
      fs.openSync = openSync
      syncBuiltinESMExports()
    }
    assert.deepEqual([taken, quarantine.counters()], [[], { quarantine: 0, laterVersion: 0 }])
    for (const file of [layout.task(id), path.join(layout.blobFolder(id), 'log.txt')])
      assert.ok(existsSync(file), file)
  })

  it('overwrites nothing that was set aside before, a link that leads nowhere included', test => {
    const { layout, quarantine, aside } = setUp(test)
    const breaks = [
      () => symlinkSync('nowhere', layout.task(id)),
      () => writeFileSync(layout.task(id), 'second'),
      () => mkdirSync(layout.task(id)),
      () => symlinkSync('elsewhere', layout.task(id)),
    ]
    for (const ruin of breaks) {
      ruin()
      quarantine.take(id)
    }
    assert.deepEqual(
      aside().filter(name => name.includes('.json')),
      [`${id}.json`, `${id}.json.1`, `${id}.json.2`, `${id}.json.3`],
    )
  })
})
