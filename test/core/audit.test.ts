// The form of the audit's lines and cursors, whatever stands in them, and the table of actions in the docs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  AUDIT_ACTION_NAMES,
  AUDIT_ACTIONS,
  AUDIT_VIAS,
  auditKey,
  decodeAuditCursor,
  encodeAuditCursor,
  fitsAudit,
} from '../../src/core/audit.ts'
import { AUDIT_BOUNDS, encodeAuditEntry, parseAuditEntry } from '../../src/core/audit-form.ts'
import { auditedId } from '../../src/core/audit-recorder.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { entryOf } from '../support/audit-entries.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 300)
const text = (maxLength: number) => fc.string({ maxLength, unit: 'grapheme' })
const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map(date => date.toISOString())
const entries = fc.record({
  id: fc.uuid(),
  at: time,
  actor: fc.option(fc.record({ account: text(30), name: text(30) })),
  via: fc.constantFrom(...AUDIT_VIAS),
  action: fc.constantFrom(...AUDIT_ACTION_NAMES),
  target: fc.option(text(100)),
  outcome: text(30),
  address: fc.option(text(30)),
})

describe('a line of the audit', () => {
  it('is one line, and comes back as it was', () => {
    fc.assert(
      fc.property(entries, entry => {
        const line = encodeAuditEntry(entry)
        assert.ok(!line.includes('\n'))
        assert.deepEqual(parseAuditEntry(line), structuredClone(entry))
      }),
      { numRuns: RUNS },
    )
  })

  it('is none when anything is cut off or is something else, and never throws', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.string(), (entry, cut, rubbish) => {
        const line = encodeAuditEntry(entry)
        assert.equal(parseAuditEntry(line.slice(0, cut % line.length)), null)
        assert.equal(parseAuditEntry(rubbish), null)
        assert.equal(parseAuditEntry(encodeAuditEntry({ ...entry, action: 'steal' as never })), null)
      }),
      { numRuns: RUNS },
    )
    assert.equal(
      parseAuditEntry(encodeAuditEntry(entryOf({ target: 'x'.repeat(AUDIT_BOUNDS.target + 1) }))),
      null,
    )
    // a later program may have added to it
    const more = { ...entryOf(), more: 1 }
    assert.deepEqual(parseAuditEntry(JSON.stringify(more)), more)
  })

  it('has a cursor that names its place, and any other text is refused', () => {
    fc.assert(
      fc.property(entries, fc.string({ maxLength: 300 }), (entry, rubbish) => {
        assert.equal(decodeAuditCursor(encodeAuditCursor(entry)), auditKey(entry))
        try {
          decodeAuditCursor(rubbish)
        } catch (error) {
          assert.ok(isMadhavaError(error, 'BAD_CURSOR'))
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('fits a target by its first word alone', () => {
    const entry = entryOf({ target: 'abc role=user' })
    for (const [target, fits] of [
      ['abc', true],
      ['abc role=user', true],
      ['ab', false],
      ['role=user', false],
    ] as const)
      assert.equal(fitsAudit(entry, { target }), fits, target)
    assert.equal(fitsAudit(entryOf({ target: null }), { target: '' }), false)
  })

  it('has an id that somebody sent only where it has the form of one', () => {
    for (const id of ['01a20409-87eb-75be-8bef-b4409f8f7157', '0123456789abcdef', 'operator', 'viewer'])
      assert.equal(auditedId(id.toUpperCase()), id)
    for (const text of ['mdv_0123456789abcdef_secret', 'correct horse', '', 'root', '0123456789abcdef\n'])
      assert.equal(auditedId(text), null)
  })

  it('has a row in docs/access.md for each action, and no other', () => {
    const docs = readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8')
    const [, section = ''] = docs.split('\n## Audit\n')
    const rows = [...section.matchAll(/^\| `([a-z.]+)` \| (.*) \|$/gm)].map(([, name, when]) => [name, when])
    assert.deepEqual(rows, Object.entries(AUDIT_ACTIONS))
  })
})
