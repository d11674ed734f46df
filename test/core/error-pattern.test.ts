// Which messages of errors have one pattern.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { errorPattern, PATTERN_LENGTH } from '../../src/core/error-pattern.ts'

describe('the pattern of an error message', () => {
  it('is the same where only numbers, ids and times differ', () => {
    for (const [pattern, ...messages] of [
      ['timeout after … ms', 'timeout after 5000 ms', 'timeout after 1,250.5 ms'],
      ['no answer within …s', 'no answer within 30s', 'no answer within 5s'],
      [
        'task … is gone',
        'task 0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f is gone',
        'task 0190F3A1-7C5E-7B3A-9D2F-1A2B3C4D5E6F is gone',
        'task 12 is gone',
      ],
      ['connect ECONNREFUSED …', 'connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED 10.1.2.3:80'],
      ['at … it broke', 'at 2030-01-31T12:00:00.000Z it broke', 'at 2031-02-01T00:00:00Z it broke'],
      [
        'invoice INV-… has no … lines',
        'invoice INV-2024-00017 has no 3 lines',
        'invoice INV-1 has no 2 lines',
      ],
      ['request … failed', 'request req_8f3Ka9x2 failed', 'request req_1q7Zb0y9 failed'],
      ['in db-… at row …', 'in db-1 at row 2', 'in  db-22\nat row 7'],
    ])
      for (const message of messages) assert.equal(errorPattern(message), pattern, message)
  })

  it('differs where words differ', () => {
    const messages = [
      'timeout after 5 ms',
      'timeout after 5 s',
      "cannot read 'a'",
      "cannot read 'b'",
      'no',
      '',
    ]
    assert.equal(new Set(messages.map(errorPattern)).size, messages.length)
  })

  it('is its own pattern, is short, and costs little whatever the message is', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 600 }),
      fc
        .array(fc.constantFrom('a', 'Z', '1', '0x', '-', '.', ':', '…', ' ', '_', 'é', '𝟙'), {
          maxLength: 500,
        })
        .map(parts => parts.join('')),
    )
    fc.assert(
      fc.property(text, message => {
        const pattern = errorPattern(message)
        assert.equal(errorPattern(pattern), pattern)
        assert.ok(pattern.length <= PATTERN_LENGTH)
      }),
      { numRuns: 2_000 },
    )
    const begun = performance.now()
    for (const hostile of ['1-'.repeat(1e6), 'a1'.repeat(1e6), '… '.repeat(1e6), ' '.repeat(2e6)])
      errorPattern(hostile)
    assert.ok(performance.now() - begun < 5_000)
  })
})
