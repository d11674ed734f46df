// Idempotency keys as links: who binds one has it, until the task that it names lets it go.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createDisk } from '../../../src/stores/files/disk.ts'
import { createLayout, parseId } from '../../../src/stores/files/layout.ts'
import { createKeys } from '../../../src/stores/files/records/keys.ts'
import { undo } from '../../support/undo.ts'

const [ONE, OTHER] = [
  parseId('01890000-0000-7000-8000-0000000000aa'),
  parseId('01890000-0000-7000-8000-0000000000bb'),
]

const setUp = (test: TestContext) => {
  const layout = createLayout(mkdtempSync(path.join(os.tmpdir(), 'madhava-keys-')))
  undo(test, () => rmSync(layout.dir, { recursive: true, force: true }))
  mkdirSync(layout.keys)
  return { layout, keys: createKeys(layout, createDisk()) }
}

describe('an idempotency key', () => {
  it('belongs to the first who binds it, and others are told whose it is', test => {
    const { layout, keys } = setUp(test)
    assert.equal(keys.bind('k', ONE, 'print'), ONE)
    assert.equal(keys.bind('k', OTHER, 'print'), ONE)
    assert.throws(() => keys.bind('k', OTHER, 'another print'), { code: 'IDEMPOTENCY_MISMATCH' })
    assert.equal(readlinkSync(layout.key('k')), `${ONE}.print`)
    assert.equal(keys.bind('other k', OTHER, 'another print'), OTHER)
  })

  it('that was made anew from its record goes by the key alone', test => {
    const { layout, keys } = setUp(test)
    symlinkSync(`${ONE}.`, layout.key('k'))
    assert.equal(keys.bind('k', OTHER, 'whatever'), ONE)
  })

  it('is let go by the task that it names alone, and may be bound again then', test => {
    const { layout, keys } = setUp(test)
    keys.bind('k', ONE, 'print')
    keys.release('k', OTHER)
    assert.equal(keys.bind('k', OTHER, 'print'), ONE)
    keys.release('k', ONE)
    keys.release('k', ONE)
    assert.deepEqual(readdirSync(layout.keys), [])
    assert.equal(keys.bind('k', OTHER, 'another print'), OTHER)
  })
})
