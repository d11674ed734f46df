// The check at a glance against the schema, which decides.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError } from '../../src/core/errors.ts'
import { report, start, succeed } from '../../src/core/moves.ts'
import {
  type Json,
  RECORD_DEPTH_LIMIT,
  RECORD_LIMIT,
  type TaskRecord,
  taskSchema,
} from '../../src/core/task.ts'
import { checkTask, refuseInvalidRecord, refuseLarge } from '../../src/core/task-check.ts'
import { newTaskOf } from '../support/new-task.ts'

const AT = '2026-11-27T10:00:00.000Z'
const fresh = (): TaskRecord =>
  newTaskOf({
    params: { digits: 10, deep: [{ a: null }] },
    createdAt: AT,
    retry: { delaySeconds: 1, factor: 2, maxDelaySeconds: 3600 },
    limits: { softSeconds: null, hardSeconds: 10 },
  })

/** A life, step by step. */
const life = (): TaskRecord[] => {
  const records = [fresh()]
  const then = (move: (task: TaskRecord) => TaskRecord): void => {
    records.push(move(records.at(-1) as TaskRecord))
  }
  then(start('host:1', AT))
  then(report({ percent: 50, note: 'half', etaSeconds: null }, { digits: '3.1' }, AT))
  then(succeed('3.14', null, AT, { terms: 7 }))
  return records
}

const texts = fc.constantFrom(
  '',
  'noop',
  'STARTED',
  AT,
  '2026-02-29T10:00:00.000Z',
  '2026-11-27T10:00:00Z',
  '__proto__',
)
const numbers = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    9,
    10,
    1e21,
    86_400,
    86_401,
    2_592_000,
    2_592_001,
    31_536_000,
    31_536_001,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
  ),
  fc.double(),
)
const leaf = fc.oneof(fc.constant(null), fc.boolean(), numbers, texts, fc.string(), fc.constant(undefined))
const odd: fc.Arbitrary<unknown> = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(
    fc.constantFrom(
      'percent',
      'note',
      'etaSeconds',
      'code',
      'message',
      'detail',
      'status',
      'at',
      'attempt',
      'worker',
      'softSeconds',
      'hardSeconds',
      'delaySeconds',
      'factor',
      'maxDelaySeconds',
      'retryOn',
      'a',
      '0',
      'constructor',
      '__proto__',
    ),
    tie('value'),
    { maxKeys: 5 },
  ),
})).value

const names = [...Object.keys(taskSchema.shape), 'later', '__proto__', 'constructor']
const places = fc.array(fc.tuple(fc.constantFrom(...names), fc.oneof(odd, fc.constant(Symbol.for('gone')))), {
  maxLength: 3,
})

/** Puts values into a copy, or takes fields out, as a file or a program might have it. */
const spoil = (
  task: TaskRecord,
  changes: readonly (readonly [string, unknown])[],
): Record<string, unknown> => {
  const copy: Record<string, unknown> = structuredClone(task)
  for (const [name, value] of changes) {
    if (value === Symbol.for('gone')) delete copy[name]
    else Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return copy
}

/** What the schema or the check says, the data included; the words of a fault are the schema's own. */
const verdict = (parsed: ReturnType<typeof taskSchema.safeParse>): unknown =>
  parsed.success ? { data: parsed.data } : { issues: parsed.error.issues }

const nest = (levels: number): Json => {
  let nested: Json = 1
  for (let level = 0; level < levels; level += 1) nested = level % 2 ? [nested] : { in: nested }
  return nested
}

const refuses = (before: TaskRecord | null, after: TaskRecord): boolean => {
  try {
    refuseInvalidRecord(before, after)
    return false
  } catch (error) {
    assert.ok(isMadhavaError(error, 'RECORD_INVALID'), String(error))
    return true
  }
}

describe('the check of a record', () => {
  it('takes every record of a life at a glance, and answers with that very object', () => {
    for (const task of life()) {
      const value: unknown = JSON.parse(JSON.stringify(task))
      const checked = checkTask(value)
      assert.ok(checked.success)
      assert.equal(checked.data, value)
    }
  })

  it('says of any value what the schema says', () => {
    fc.assert(
      fc.property(fc.constantFrom(...life()), places, (task, changes) => {
        const value = spoil(task, changes)
        assert.deepEqual(verdict(checkTask(value) as never), verdict(taskSchema.safeParse(value)))
      }),
      { numRuns: 3_000 },
    )
    for (const value of [null, undefined, 1, 'task', [], [life()[0]], new Date()])
      assert.equal(checkTask(value).success, false)
  })

  it('says of a change what the schema says of the fields that changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...life()), places, (task, changes) => {
        const after = spoil(task, changes) as TaskRecord
        const changed = Object.keys(taskSchema.shape).filter(name => after[name] !== task[name])
        // a deep copy is another object, and as valid as it was
        const wrong = taskSchema
          .safeParse(after)
          .error?.issues.some(({ path }) => changed.includes(String(path[0])))
        assert.equal(refuses(task, after), wrong === true)
      }),
      { numRuns: 3_000 },
    )
  })

  it('refuses to write what nests deeper or is larger than a record may, whichever field holds it', () => {
    const [task] = life()
    assert.ok(task)
    const changes: ((value: Json) => Partial<TaskRecord>)[] = [
      params => ({ params }),
      result => ({ result }),
      resultInfo => ({ resultInfo }),
      detail => ({ error: { code: 'KIND_FAILED', message: '', detail } }),
    ]
    for (const change of changes) {
      assert.equal(refuses(task, { ...task, ...change(nest(RECORD_DEPTH_LIMIT - 1)) }), false)
      for (const levels of [RECORD_DEPTH_LIMIT + 1, 1_000, 20_000]) {
        assert.equal(refuses(task, { ...task, ...change(nest(levels)) }), true)
        assert.equal(refuses(null, { ...task, ...change(nest(levels)) }), true)
      }
    }
    const ring: Json[] = []
    ring.push(ring)
    assert.equal(refuses(task, { ...task, result: ring }), true)
    // what stood there before is nothing that the change brought
    const old = { ...task, result: nest(1_000) }
    assert.equal(refuses(old, { ...old, status: 'REVOKED' }), false)
    assert.equal(refuseLarge('x'.repeat(RECORD_LIMIT)).length, RECORD_LIMIT)
    assert.throws(
      () => refuseLarge('x'.repeat(RECORD_LIMIT + 1)),
      error => isMadhavaError(error, 'RECORD_INVALID'),
    )
  })

  it('refuses a new record that lacks a field', () => {
    for (const name of ['id', 'params', 'result', 'history'])
      assert.equal(refuses(null, spoil(fresh(), [[name, Symbol.for('gone')]]) as TaskRecord), true, name)
    for (const task of life()) assert.equal(refuses(null, task), false)
  })
})
