// What the page of the audit makes of an address and of an entry.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldTimeOf, instantIn } from '../../../src/dashboard/web/format/field-time.ts'
import { filterIn, targetOf } from '../../../src/dashboard/web/pages/audit/audit.ts'

const ID = '01a20409-87eb-75be-8bef-b4409f8f7157'

describe('the filter of the audit', () => {
  it('is what the address names, without what is empty', () => {
    const of = (text: string) => filterIn(new URLSearchParams(text))
    assert.deepEqual(of('actor=&target=&outcome=&from=&action='), [])
    assert.deepEqual(of('cursor=x&action=login&other=1&action=logout&to=2026-01-31'), [
      ['action', 'login'],
      ['action', 'logout'],
      ['to', '2026-01-31'],
    ])
    assert.deepEqual(of(''), [])
  })
})

describe('the target of an entry', () => {
  it('leads to a task where it is one', () => {
    const of = (action: string, target: string | null) => targetOf({ action, target })
    assert.deepEqual(of('task.cancel', ID), { id: ID, isTask: true, rest: '' })
    assert.deepEqual(of('share.create', `${ID} share=k3v9`), { id: ID, isTask: true, rest: 'share=k3v9' })
    assert.deepEqual(of('dead.replay', ID), { id: ID, isTask: true, rest: '' })
    for (const [action, target] of [
      ['dead.replay', 'message-1'],
      ['account.change', ID],
      ['task.submit', 'calcpi'],
      ['tasks.cancel', '3 of 4 {"statuses":["PENDING"]}'],
      ['key.create', 'k3v9q0d2m1x8z7ab scopes=read'],
    ] as const)
      assert.equal(of(action, target)?.isTask, false, action)
    const many = '3 of 4 {"statuses":["PENDING"]}'
    assert.deepEqual(of('tasks.cancel', many), { id: '', isTask: false, rest: many })
    assert.equal(of('login', null), null)
  })
})

describe('a moment in its field', () => {
  it('is the same moment again when it is read', () => {
    const instant = '2026-01-31T12:34:56.000Z'
    assert.equal(fieldTimeOf(instant, true), '2026-01-31T12:34:56')
    for (const isUtc of [true, false])
      assert.equal(instantIn(fieldTimeOf(instant, isUtc), isUtc), instant, String(isUtc))
    assert.equal(fieldTimeOf('no moment', true), '')
    assert.equal(instantIn('', true), null)
  })
})
