// Presences of the files store: who lives, by a socket that only a living process holds, and what is left of who does not.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { type Instances, openInstances, seeInstances } from '../../../src/stores/files/claims/instances.ts'
import { at, details } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { DEAD } from './parts.ts'

const BEAT_MS = 2_000

const setUp = (test: TestContext) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'madhava-run-'))
  const clock = { seconds: 0 }
  const opened: Instances[] = []
  undo(test, async () => {
    for (const each of opened) await each.leave()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    clock,
    async open() {
      const one = await openInstances({
        folder,
        host: 'h',
        clock: () => new Date(at(clock.seconds)),
        log: silentLog(),
      })
      opened.push(one)
      return one
    },
    beatOf: ({ instance }: Instances): string =>
      JSON.parse(readFileSync(path.join(folder, `${instance}.json`), 'utf8')).beatAt,
  }
}
const worker = { role: 'worker', details: () => details() }

describe('instances', () => {
  it('live from their opening until they leave, for themselves and for all others', async test => {
    const { open, folder } = setUp(test)
    const [one, other] = [await open(), await open()]
    for (const each of [one, other])
      assert.deepEqual(
        [await each.isAlive(one.instance), await each.isAlive(other.instance), await each.isAlive(DEAD)],
        [true, true, false],
      )
    await one.leave()
    await one.leave()
    // twice: the connection that was kept has just broken, and then it is known
    for (let look = 0; look < 2; look += 1) {
      assert.equal(await other.isAlive(one.instance), false)
      assert.equal(await one.isAlive(one.instance), false)
    }
    assert.deepEqual(other.known(), [other.instance])
    assert.ok(!readdirSync(folder).some(name => name.includes(one.instance)))
  })

  it('show what they say of themselves, renewed with each beat, and nothing once they left', async test => {
    test.mock.timers.enable({ apis: ['setInterval'] })
    const { open, clock, beatOf, folder } = setUp(test)
    const one = await open()
    let asked = 0
    const counted = () => {
      asked += 1
      return details()
    }
    await one.announce({ role: 'api', details: counted })
    await one.announce({ role: 'worker', details: counted })
    assert.equal(beatOf(one), at(0))
    clock.seconds = 2
    test.mock.timers.tick(BEAT_MS)
    assert.equal(beatOf(one), at(2))
    assert.equal(asked, 3, 'one beat at a time, however often it was announced')
    const [seen] = await one.presences()
    assert.deepEqual([seen?.role, seen?.startedAt, seen?.beatAt, seen?.alive], ['worker', at(0), at(2), true])
    assert.deepEqual(await seeInstances(folder), [seen])
    await one.leave()
    test.mock.timers.tick(BEAT_MS)
    await one.announce(worker)
    assert.deepEqual(readdirSync(folder), [])
  })

  it('are seen as dead while their files are there, and are forgotten whole', async test => {
    const { open, folder } = setUp(test)
    const [one, dead] = [await open(), await open()]
    await dead.announce(worker)
    const text = readFileSync(path.join(folder, `${dead.instance}.json`), 'utf8')
    await dead.leave()
    // as a process leaves them that was killed
    for (const ending of ['json', 'sock', 'sound'])
      writeFileSync(path.join(folder, `${dead.instance}.${ending}`), text)
    assert.deepEqual(
      (await one.presences()).map(({ instance, alive }) => [instance, alive]),
      [[dead.instance, false]],
    )
    assert.deepEqual(
      (await seeInstances(folder)).map(({ alive }) => alive),
      [false],
    )
    assert.deepEqual(one.known().sort(), [one.instance, dead.instance].sort())
    one.forget(dead.instance)
    assert.deepEqual(one.known(), [one.instance])
    assert.ok(!readdirSync(folder).some(name => name.includes(dead.instance)))
  })

  it('are passed over where what they say of themselves is no presence', async test => {
    const { open, folder } = setUp(test)
    const one = await open()
    await one.announce(worker)
    const file = path.join(folder, `${one.instance}.json`)
    const whole = JSON.parse(readFileSync(file, 'utf8'))
    for (const broken of [
      '',
      '{',
      'null',
      JSON.stringify({ ...whole, pid: '1' }),
      JSON.stringify({ ...whole, details: 1 }),
    ]) {
      writeFileSync(file, broken)
      assert.deepEqual(await one.presences(), [])
    }
    assert.deepEqual(one.known(), [one.instance])
  })
})
