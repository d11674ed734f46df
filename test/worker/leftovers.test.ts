// What dead workers have left on this host is ended by whoever comes; what belongs to the living is not.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import pino from 'pino'
import type { Status } from '../../src/core/status.ts'
import { valueIn } from '../../src/platform/marked-processes.ts'
import { MARK, markOf, markPrefix, readMark } from '../../src/platform/process-mark.ts'
import { readProcess } from '../../src/platform/process-proof.ts'
import { createLeftovers, wasTakenOver } from '../../src/worker/processes/end-leftovers.ts'

const skip = process.platform === 'linux' ? false : 'processes are found by /proc'
const OUTER = { timeout: 300_000 }

describe('what a worker has left behind', { skip }, () => {
  const started: ChildProcess[] = []
  after(() => {
    for (const child of started) child.kill('SIGKILL')
  })
  const startMarked = async (mark: string): Promise<ChildProcess> => {
    const child = spawn('sleep', ['600'], {
      env: { PATH: process.env.PATH, [MARK]: mark },
      detached: true,
      stdio: 'ignore',
    })
    started.push(child)
    await once(child, 'spawn')
    return child
  }
  const lives = ({ pid = 0 }: ChildProcess): boolean => {
    const state = readProcess(pid)?.state
    return state !== undefined && state !== 'Z'
  }
  /** What a mark of a worker begins with that was killed. */
  const deadPrefix = async (store: string): Promise<string> => {
    const worker = spawn('sleep', ['600'], { stdio: 'ignore' })
    await once(worker, 'spawn')
    const ticks = readProcess(worker.pid ?? 0)?.startedTicks
    worker.kill('SIGKILL')
    await once(worker, 'exit')
    const [space] = markPrefix(store).split(':')
    return `${space}:${worker.pid}:${ticks}:${store}`
  }
  const lines: { message: string }[] = []
  const log = pino({ messageKey: 'message' }, { write: line => void lines.push(JSON.parse(line)) })

  it('is ended when that worker is dead, whichever store it used, and said once', OUTER, async () => {
    const [mine, foreign] = [randomUUID(), randomUUID()]
    const left = [
      await startMarked(markOf(await deadPrefix(mine), randomUUID(), 1)),
      await startMarked(markOf(await deadPrefix(foreign), randomUUID(), 7)),
    ]
    await createLeftovers({ store: mine, log }).end()
    assert.deepEqual(left.map(lives), [false, false])
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['ended processes that a worker had left behind'],
    )
  })

  it('is left alone while its worker lives, unless a later claim makes it void', OUTER, async () => {
    const [store, id, other] = [randomUUID(), randomUUID(), randomUUID()]
    const mark = (task: string, claim: number, place = store) => markOf(markPrefix(place), task, claim)
    const old = await startMarked(mark(id, 2))
    const kept = [
      await startMarked(mark(id, 3)),
      await startMarked(mark(id, 4)),
      await startMarked(mark(other, 1)),
      // the same task in a copy of the store
      await startMarked(mark(id, 1, randomUUID())),
    ]
    const leftovers = createLeftovers({ store, log })
    await leftovers.end()
    assert.ok([old, ...kept].every(lives), 'all live')
    await Promise.all([leftovers.end(), leftovers.end({ id, claim: 3 }), leftovers.end()])
    assert.equal(lives(old), false)
    assert.ok(kept.every(lives), 'the others live')
  })

  it('is left alone where its pid says nothing, as in another container', OUTER, async () => {
    const store = randomUUID()
    const dead = (await deadPrefix(store)).split(':')
    const kept = [
      await startMarked(markOf(['0123456789ab', ...dead.slice(1)].join(':'), randomUUID(), 1)),
      await startMarked(markOf(['-', ...dead.slice(1)].join(':'), randomUUID(), 1)),
      await startMarked('something else altogether'),
      await startMarked(''),
    ]
    // of a worker whose number somebody else has by now: it is dead
    const reused = `${dead[0]}:${process.pid}:1:${store}`
    const gone = await startMarked(markOf(reused, randomUUID(), 1))
    await createLeftovers({ store, log }).end()
    assert.equal(lives(gone), false)
    assert.ok(kept.every(lives))
  })
})

describe('the mark of a process', () => {
  it('is read as it was written, and nothing else is taken for one', () => {
    const word = fc.stringMatching(/^[0-9a-f]{12}$/)
    fc.assert(
      fc.property(
        word,
        fc.nat(),
        fc.nat(),
        word,
        fc.uuid(),
        fc.integer(),
        (space, pid, ticks, store, task, claim) => {
          assert.deepEqual(readMark(markOf(`${space}:${pid}:${ticks}:${store}`, task, claim)), {
            space,
            pid,
            startedTicks: String(ticks),
            store,
            task,
            claim,
          })
        },
      ),
    )
    fc.assert(fc.property(fc.string(), text => assert.equal(readMark(text.replaceAll(':', '')), null)))
  })

  it('is found in an environment whatever stands around it', () => {
    const value = fc.string({ unit: 'binary' }).map(text => text.replaceAll('\0', ''))
    const name = fc.stringMatching(/^[A-Z_]{1,20}$/).filter(each => each !== MARK)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value)),
        value,
        fc.array(fc.tuple(name, value)),
        (before, mine, behind) => {
          const environ = (pairs: [string, string][]) => pairs.map(pair => `${pair.join('=')}\0`).join('')
          const all = `${environ(before)}${environ([[MARK, mine]])}${environ(behind)}`
          assert.equal(valueIn(Buffer.from(all), MARK), Buffer.from(mine).toString())
          assert.equal(valueIn(Buffer.from(environ([...before, ...behind])), MARK), null)
          assert.equal(valueIn(Buffer.from(`X${MARK}=1\0Y=${MARK}=2\0`), MARK), null)
        },
      ),
    )
  })
})

describe('a task that was taken over', () => {
  const history = (...moves: [Status, number][]) => ({
    history: moves.map(([status, attempt]) => ({ status, attempt })),
  })
  it('is told from one that failed, or was given back', () => {
    assert.equal(wasTakenOver(history(['PENDING', 0], ['STARTED', 1])), false)
    assert.equal(wasTakenOver(history(['PENDING', 0], ['STARTED', 1], ['RETRY', 1], ['STARTED', 2])), false)
    assert.equal(wasTakenOver(history(['PENDING', 0], ['STARTED', 1], ['PENDING', 0], ['STARTED', 1])), false)
    assert.equal(wasTakenOver(history(['PENDING', 0], ['STARTED', 1], ['PENDING', 1], ['STARTED', 2])), true)
    assert.equal(wasTakenOver(history(['PROGRESS', 1], ['PENDING', 1], ['STARTED', 2], ['PENDING', 1])), true)
    assert.equal(wasTakenOver(history(['STARTED', 5], ['FAILURE', 5], ['PENDING', 0], ['STARTED', 1])), true)
    assert.equal(wasTakenOver(history(['STARTED', 1], ['SUCCESS', 1], ['PENDING', 0], ['STARTED', 1])), false)
  })
})
