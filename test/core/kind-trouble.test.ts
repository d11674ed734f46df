// Kinds whose files cannot be used, as people read of them: from the living alone, each report once, in few words.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeTroubles, publicReason, seenKindTroubles } from '../../src/core/kind-trouble.ts'

const trouble = (name: string, reason = 'it has no run') => ({ name, file: `${name}.ts`, reason })
const process = (role: string, kindsInTrouble?: ReturnType<typeof trouble>[], alive = true) => ({
  alive,
  role,
  details: kindsInTrouble ? { kindsInTrouble } : {},
})

describe('kinds that cannot be used', () => {
  it('are told of the living alone: the dead cannot have seen that a file was mended', () => {
    const seen = [process('worker', [trouble('old')], false), process('worker', [trouble('odd')])]
    assert.deepEqual(seenKindTroubles([], seen), [{ ...trouble('odd'), roles: ['worker'] }])
    assert.deepEqual(seenKindTroubles([], [process('api', [trouble('odd')], false)]), [])
  })

  it('are told once for each reason, by name, with the roles that say so', () => {
    const both = trouble('both')
    const seen = [
      process('worker', [both, trouble('one')]),
      process('worker', [both]),
      process('api', [both, trouble('one', 'it is not there')]),
      process('rpc'),
    ]
    assert.deepEqual(seenKindTroubles([both, trouble('mine')], seen), [
      { ...both, roles: ['api', 'worker'] },
      { ...trouble('mine'), roles: [] },
      { ...trouble('one'), roles: ['worker'] },
      { ...trouble('one', 'it is not there'), roles: ['api'] },
    ])
  })

  it('are described the first five, and counted from there on', () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => trouble(`k${n}`, 'no'))
    assert.equal(describeTroubles([]), '')
    assert.equal(describeTroubles(many(5)), [0, 1, 2, 3, 4].map(n => `k${n}.ts: no`).join('; '))
    assert.ok(describeTroubles(many(6)).endsWith('k4.ts: no; and 1 more'))
  })

  it('have a reason without folders of the machine, on one line, of a bounded length', () => {
    const from = 'Cannot find /home/ann/kinds/odd.ts,\n file:///srv/x/y.ts or https://example.org/a/b\tnow'
    assert.equal(publicReason(from), 'Cannot find odd.ts, y.ts or https://example.org/a/b now')
    assert.equal(publicReason('€'.repeat(500)), '€'.repeat(500))
    assert.equal(publicReason('😀'.repeat(501)), `${'😀'.repeat(500)}...`)
  })
})
