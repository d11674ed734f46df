// How processes agree on a reading of the folders of kinds: all use it, or none does.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { codeOfSet } from '../../../src/core/kind-sets.ts'
import { differenceOf } from '../../../src/core/reload/difference.ts'
import type { Trial } from '../../../src/core/reload/forms.ts'
import { soon } from '../../support/soon.ts'
import { until } from '../../support/until.ts'
import { openBench, setOf } from './bench.ts'

const problemsIn = async (asked: Promise<unknown>): Promise<string[]> => {
  try {
    await soon(asked, 'an answer')
  } catch (error) {
    if (!isMadhavaError(error, 'KINDS_NOT_LOADED')) throw error
    const { problems } = error.detail as { problems: { path: string; problem: string }[] }
    return problems.map(({ path, problem }) => `${path}: ${problem}`)
  }
  throw new Error('the kinds were read again')
}
/** A reading that ends when it is told to. */
const heldBack = () => {
  let letGo: () => void = () => {}
  const held = new Promise<void>(resolve => {
    letGo = resolve
  })
  return { held, letGo }
}

describe('a reload of the kinds', () => {
  it('is used by all, and says what has changed', async t => {
    const bench = openBench(t)
    const api = bench.open({ role: 'api' })
    const worker = bench.open()
    const rpc = bench.open({ role: 'rpc' })
    bench.folder.now = { b: '2', c: '1', d: '1' }
    const outcome = await soon(api.ask(), 'the reload')
    assert.deepEqual(
      { ...outcome, id: '', processes: outcome.processes.map(({ role, isUsed }) => [role, isUsed]) },
      {
        ...{ id: '', added: ['c', 'd'], changed: ['b'], removed: ['a'], unchanged: 0 },
        processes: [
          ['api', true],
          ['rpc', true],
          ['worker', true],
        ],
      },
    )
    for (const one of [api, worker, rpc]) {
      assert.deepEqual([one.code('a'), one.code('b'), one.code('c')], [null, '2', '1'])
      assert.deepEqual(one.told, [`used ${outcome.id}`])
      assert.equal(one.follower.counters().kindsReloaded, 1)
    }
    const again = await soon(worker.ask(), 'the next one')
    assert.deepEqual([again.added, again.changed, again.removed, again.unchanged], [[], [], [], 3])
  })

  it('is used by nobody where one process cannot use a file, and says who and why', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    bench.folder.now = { a: '2', b: '2' }
    worker.hand.read = async () => setOf({ a: '2', b: '!b is not loved' })
    assert.deepEqual(await problemsIn(api.ask()), ['b.ts: b is not loved (worker)'])
    await until('the candidates are dropped', () => api.dropped.length === 1 && worker.dropped.length === 1)
    assert.deepEqual([api.code('a'), worker.code('a')], ['1', '1'])
    assert.deepEqual([api.told, worker.told], [[], []])
    assert.equal(worker.follower.counters().kindsReloadsDropped, 1)
    bench.folder.now = { a: '!never' }
    worker.hand.read = api.hand.read
    assert.deepEqual(await problemsIn(api.ask()), ['a.ts: never'])
    // nothing stays behind of those
    bench.folder.now = { a: '3' }
    await soon(worker.ask(), 'a sound one')
    assert.deepEqual([api.code('a'), worker.code('a')], ['3', '3'])
  })

  it('is dropped where a folder cannot be read at all', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    worker.hand.read = () =>
      Promise.reject(new MadhavaError('KIND_INVALID', 'The folder of KINDS_DIR, /a/b/kinds, cannot be read'))
    assert.deepEqual(await problemsIn(api.ask()), [
      'KINDS_DIR: The folder of KINDS_DIR, kinds, cannot be read (worker)',
    ])
  })

  it('is dropped where processes of one bundle have read different files, and not those of two', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    worker.hand.read = async () => setOf({ a: '2', b: '1' })
    assert.deepEqual(await problemsIn(api.ask()), [
      'KINDS_DIR: the files changed while they were read; try again',
    ])
    await worker.die()
    const other = bench.open({ host: 'there', bundle: 'two' })
    other.hand.read = async () => setOf({ z: '1' })
    const { added } = await soon(api.ask(), 'the reload of two bundles')
    assert.deepEqual([added, other.code('z')], [['z'], '1'])
  })

  it('says that KINDS_DIR has to be set where no process has a folder', async t => {
    const bench = openBench(t)
    const api = bench.open({ role: 'api', hasFolder: false })
    bench.open({ hasFolder: false })
    assert.match((await problemsIn(api.ask())).join(), /^KINDS_DIR: it is not set/)
    const third = bench.open({ host: 'there', bundle: 'two' })
    bench.folder.now = { a: '1', b: '5' }
    await soon(api.ask(), 'the reload of the host that has one')
    assert.equal(third.code('b'), '5')
  })

  it('does not wait for a process that dies meanwhile', async t => {
    const bench = openBench(t)
    const api = bench.open({ role: 'api' })
    const worker = bench.open()
    const rpc = bench.open({ role: 'rpc' })
    const begun = heldBack()
    worker.hand.read = () => {
      begun.letGo()
      return new Promise(() => {})
    }
    bench.folder.now = { a: '2' }
    const asked = api.ask()
    await soon(begun.held, 'the reading')
    await worker.die()
    const { processes } = await soon(asked, 'the reload')
    assert.deepEqual(
      processes.map(({ role }) => role),
      ['api', 'rpc'],
    )
    assert.equal(rpc.code('a'), '2')
  })

  it('is dropped when a process does not answer in time, and all go on with what they have', async t => {
    const bench = openBench(t, { waitMs: 300 })
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    const slow = heldBack()
    bench.folder.now = { a: '2' }
    worker.hand.read = async () => {
      await slow.held
      return setOf(bench.folder.now)
    }
    assert.deepEqual(await problemsIn(api.ask()), ['worker: process 102 on here has not answered within 0 s'])
    slow.letGo()
    await until('what came late is dropped too', () => worker.dropped.length === 1)
    assert.deepEqual([api.code('a'), worker.code('a')], ['1', '1'])
  })

  it('is one at a time: of two who ask at once one is refused', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    const slow = heldBack()
    worker.hand.read = async () => {
      await slow.held
      return setOf(bench.folder.now)
    }
    const asked = [api.ask(), worker.ask()].map(one =>
      one.then(
        () => 'used',
        (error: { code: string }) => error.code,
      ),
    )
    const refused = await soon(Promise.race(asked), 'a refusal')
    assert.equal(refused, 'KINDS_RELOADING')
    await assert.rejects(api.ask(), { code: 'KINDS_RELOADING' })
    slow.letGo()
    assert.deepEqual((await soon(Promise.all(asked), 'both')).sort(), ['KINDS_RELOADING', 'used'])
  })

  /** As if whoever asked were killed between the answers and the decision. */
  const tryOnly = async (bench: ReturnType<typeof openBench>, by: ReturnType<typeof bench.open>) => {
    const { trial, rev } = await by.trials.current()
    const deadline = new Date(bench.clock().getTime() + 60_000).toISOString()
    const tried: Trial = {
      ...{ type: 'trial', id: 'tried', by: by.instance, at: bench.clock().toISOString(), deadline },
      ...{ state: 'trying', used: trial?.used ?? null },
    }
    await by.trials.write(tried, rev)
  }

  it('is dropped after its time when whoever asked is gone, and its candidates go', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    bench.folder.now = { a: '2' }
    await tryOnly(bench, api)
    await until('the answer', async () => (await api.trials.answerOf('tried', worker.instance)) !== null)
    await api.die()
    assert.equal((await worker.trials.current()).trial?.state, 'trying')
    bench.pass(61_000)
    await until('it is dropped', async () => (await worker.trials.current()).trial?.state === 'dropped')
    await until('so is what was read for it', () => worker.dropped.length === 1)
    assert.equal(worker.code('a'), '1')
  })

  it('is not held up by one whose asker is dead', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    await tryOnly(bench, api)
    await assert.rejects(worker.ask(), { code: 'KINDS_RELOADING' })
    await api.die()
    bench.folder.now = { a: '4' }
    await soon(worker.ask(), 'the reload')
    assert.equal(worker.code('a'), '4')
  })

  it('cannot be decided once it was dropped', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    const slow = heldBack()
    worker.hand.read = async () => {
      await slow.held
      return setOf(bench.folder.now)
    }
    bench.folder.now = { a: '2' }
    const asked = problemsIn(api.ask())
    await until('it is tried', async () => (await api.trials.current()).trial?.state === 'trying')
    // whoever asked was frozen for so long, and finds all answers when it goes on
    const { trial, rev } = await api.trials.current()
    assert.ok(trial)
    await api.trials.write({ ...trial, state: 'dropped' }, rev)
    slow.letGo()
    // nobody answers to what is dropped
    for (const one of [api, worker])
      await one.trials.answer(
        {
          ...{ type: 'answer', id: trial.id, code: codeOfSet(setOf(bench.folder.now)), hasFolder: true },
          ...{ troubles: [], added: [], changed: [], removed: [], unchanged: 0, isUsed: false },
        },
        one.instance,
      )
    assert.deepEqual(await asked, ['processes: they have taken too long; try again'])
    assert.deepEqual([api.code('a'), worker.code('a')], ['1', '1'])
  })

  it('is made up for by a process that was cut off when it was decided', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open({ isAnnounced: false })]
    worker.hand.isAway = true
    bench.folder.now = { a: '2' }
    await soon(api.ask(), 'the reload of those that were seen')
    worker.announce()
    // another one that is dropped, since it does not answer, hides nothing
    api.hand.read = async () => setOf({ a: '!broken' })
    await problemsIn(api.ask())
    assert.equal(worker.code('a'), '1')
    worker.hand.isAway = false
    await until('it has read them too', () => worker.code('a') === '2')
    await until('once', () => worker.told.length === 1)
  })

  it('leaves a process behind that cannot read them later, which says so until it can', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open({ isAnnounced: false })]
    worker.hand.isAway = true
    worker.hand.read = async () => setOf({ a: '!gone' })
    bench.folder.now = { a: '2' }
    await soon(api.ask(), 'the reload')
    worker.hand.isAway = false
    await until('it says so', () => worker.follower.trouble() === 'a.ts: gone')
    assert.deepEqual([worker.code('a'), worker.told], ['1', ['left behind: a.ts: gone']])
    worker.announce()
    worker.hand.read = api.hand.read
    await soon(api.ask(), 'the next')
    assert.deepEqual([worker.code('a'), worker.follower.trouble()], ['2', null])
  })

  it('is read again by a process that had read the folder before it and was seen after it', async t => {
    const bench = openBench(t)
    const api = bench.open({ role: 'api' })
    const old = setOf(bench.folder.now)
    bench.folder.now = { a: '2' }
    await soon(api.ask(), 'the reload')
    assert.equal(old.codes.get('a'), '1')
    // it noted what was agreed on, read the old files, and then everything above happened
    const late = bench.open({ before: null })
    await until('it has read again', () => late.told.length === 1)
    // one that has read after the decision does not
    const { used = null } = (await api.trials.current()).trial ?? {}
    const later = bench.open({ before: used })
    await soon(api.ask(), 'the next')
    assert.equal(later.told.length, 1)
    // nobody knows: it reads again, to be sure
    const unsure = bench.open({ before: undefined })
    await until('it has read again too', () => unsure.told.length === 1)
  })

  it('takes part in a trial that runs when a process starts, and waits for it', async t => {
    const bench = openBench(t)
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    const slow = heldBack()
    worker.hand.read = async () => {
      await slow.held
      return setOf(bench.folder.now)
    }
    bench.folder.now = { a: '2' }
    const asked = api.ask()
    await until('it is tried', async () => (await api.trials.current()).trial?.state === 'trying')
    const late = bench.open({ role: 'rpc' })
    late.hand.read = async () => setOf({ a: '!not here' })
    slow.letGo()
    const problems = await problemsIn(asked)
    assert.deepEqual(problems, ['a.ts: not here (rpc)'])
    assert.deepEqual([api.code('a'), worker.code('a')], ['1', '1'])
  })

  it('is not kept from the next by a file that never ends loading', async t => {
    const bench = openBench(t, { waitMs: 200 })
    const [api, worker] = [bench.open({ role: 'api' }), bench.open()]
    worker.hand.read = () => new Promise(() => {})
    assert.match((await problemsIn(api.ask())).join(), /has not answered/)
    worker.hand.read = api.hand.read
    bench.folder.now = { a: '7' }
    for (;;) {
      const outcome = await api.ask().then(
        () => 'used',
        () => 'dropped',
      )
      if (outcome === 'used') break
    }
    assert.deepEqual([api.code('a'), worker.code('a')], ['7', '7'])
  })

  it('writes over a document that nobody can use', async t => {
    const bench = openBench(t)
    const api = bench.open({ role: 'api' })
    await bench.documents.put(
      'kind-reloads',
      'current',
      { version: 1, expiresAt: null, data: { odd: 1 } },
      'any',
    )
    bench.folder.now = { a: '2' }
    await soon(api.ask(), 'the reload')
    assert.equal(api.code('a'), '2')
  })
})

describe('the difference of two readings', () => {
  it('names what was added, changed and removed, in order', () => {
    const { added, changed, removed, unchanged } = differenceOf(
      setOf({ z: '1', y: '1', x: '1', m: '1' }),
      setOf({ x: '2', m: '1', c: '1', b: '1' }),
    )
    assert.deepEqual([added, changed, removed, unchanged], [['b', 'c'], ['x'], ['y', 'z'], 1])
  })
})
