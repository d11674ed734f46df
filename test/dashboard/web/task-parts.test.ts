// The pure parts of a task's page: its timeline, the lines of its log, who else ended alike, and why it waits in words.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { LogEntry, LogLine, Task, Waiting } from '../../../src/client/task.ts'
import { errorPattern } from '../../../src/core/error-pattern.ts'
import { fail, giveBack, retryByHand, revoke, start, takeOver } from '../../../src/core/moves.ts'
import { WAIT_REASONS } from '../../../src/core/wait-reasons.ts'
import { createFormats } from '../../../src/dashboard/web/format/formats.ts'
import { alikeFilter, fitsPattern, groupFor } from '../../../src/dashboard/web/pages/task/alike.ts'
import {
  filtered,
  groupsOf,
  isGap,
  lastIn,
  withNews,
} from '../../../src/dashboard/web/pages/task/log-lines.ts'
import { countingOf, lastAttemptOf, momentsOf } from '../../../src/dashboard/web/pages/task/timeline.ts'
import {
  positionInWords,
  startInWords,
  whyInShort,
  whyInWords,
} from '../../../src/dashboard/web/parts/waiting-words.ts'
import type { FailureGroup } from '../../../src/dashboard/web/state/answers.ts'
import { TEXTS } from '../../../src/dashboard/web/texts/texts.ts'
import { newTaskOf } from '../../support/new-task.ts'

const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString()
const ERROR = { code: 'KIND_FAILED', message: 'no', detail: null }

describe('the timeline', () => {
  const told = (task: unknown): string[] =>
    momentsOf(task as Task).map(moment => {
      if (moment.type === 'attempt') return `${moment.attempt.attempt} ${moment.attempt.outcome}`
      if (moment.type === 'omitted') return `omitted ${moment.count}`
      return moment.type === 'move' ? moment.status : moment.type
    })

  it('has each attempt once, and the moves that are no part of one', () => {
    let task = newTaskOf({ createdAt: at(0), maxAttempts: 2 })
    assert.deepEqual(told(task), ['created'])
    task = start('w', at(1))(task)
    assert.deepEqual(told(task), ['created', '1 null'])
    task = fail(ERROR, at(3), at(2))(task)
    task = takeOver(at(5))(start('w', at(4))(task))
    assert.deepEqual(told(task), ['created', '1 RETRY', '2 LOST'])
    task = revoke(at(8))(retryByHand(at(7))(task))
    assert.deepEqual(told(task), ['created', '1 RETRY', '2 LOST', 'retried', 'REVOKED'])
  })

  it('says which attempts the record counts, where it counts fewer than there were', () => {
    let task = start('w', at(1))(newTaskOf({ createdAt: at(0), maxAttempts: 2 }))
    const counting = (): string =>
      `${lastAttemptOf(task as Task)} ${task.attempt} ${countingOf(task as Task)}`
    assert.equal(counting(), '1 1 all')
    const again = start('w', at(3))(giveBack(at(2))(task))
    assert.equal(
      `${lastAttemptOf(again as Task)} ${again.attempt} ${countingOf(again as Task)}`,
      '2 1 thatCount',
    )
    task = retryByHand(at(3))(fail(ERROR, null, at(2))(task))
    assert.equal(counting(), '1 0 sinceRetry')
    task = start('w', at(4))(task)
    assert.equal(counting(), '2 1 sinceRetry')
  })

  it('says how many attempts are no longer kept', () => {
    let task = newTaskOf({ createdAt: at(0), maxAttempts: 100 })
    for (let count = 0; count < 25; count += 1)
      task = fail(ERROR, at(3 * count + 3), at(3 * count + 2))(start('w', at(3 * count + 1))(task))
    const moments = told(task)
    assert.deepEqual(moments.slice(0, 3), ['created', 'omitted 5', '6 RETRY'])
    assert.equal(moments.length, 22)
  })
})

const line = (n: number, attempt = 1, text = `line ${n}`, level: LogLine['level'] = 'info'): LogLine => ({
  n,
  at: at(n),
  attempt,
  level,
  text,
})

describe('the lines of a log', () => {
  it('take what comes once and in order, however it overlaps', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(10))), pieces => {
        let known: LogEntry[] = []
        for (const [from, count] of pieces) {
          const begin = Math.min(from, lastIn(known)) + 1
          known = withNews(
            known,
            Array.from({ length: count }, (_, place) => line(begin + place)),
          )
        }
        assert.deepEqual(
          known.map(entry => (isGap(entry) ? -1 : entry.n)),
          Array.from({ length: lastIn(known) }, (_, place) => place + 1),
        )
      }),
    )
  })

  it('leave the middle of a very long log out, with a mark that tells how much', () => {
    const known = withNews(
      [],
      Array.from({ length: 10_000 }, (_, place) => line(place + 1)),
    )
    const gap = known.find(isGap)
    assert.deepEqual(gap, { omitted: 7800, from: 201, to: 8000 })
    assert.equal(known.length, 2201)
    assert.equal(lastIn(withNews(known, [line(10_001)])), 10_001)
  })

  it('are filtered by attempt, level and text, and grouped by attempt', () => {
    const gap = { omitted: 2, from: 3, to: 4 }
    const entries = [line(1), line(2, 1, 'LOUD', 'warn'), gap, line(5, 2), line(6, 2, 'loud', 'error')]
    const all = { attempt: null, level: 'debug', search: '' } as const
    assert.deepEqual(
      groupsOf(filtered(entries, all)).map(group => [group.attempt, group.entries.length]),
      [
        [1, 3],
        [2, 2],
      ],
    )
    assert.deepEqual(filtered(entries, { ...all, search: 'Loud' }), [entries[1], entries[4]])
    assert.deepEqual(filtered(entries, { ...all, attempt: 2 }), entries.slice(3))
    assert.deepEqual(filtered(entries, { ...all, level: 'error' }), [gap, entries[4]])
  })
})

describe('who else ended alike', () => {
  it('is found by the pattern that the server makes of a message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), message => {
        assert.ok(fitsPattern(message, errorPattern(message)), errorPattern(message))
      }),
    )
    const message = 'Could not load order 20417: connect ECONNREFUSED 10.0.0.7:5432'
    assert.ok(fitsPattern(message, errorPattern(message)))
    assert.ok(!fitsPattern(message, errorPattern('Could not load order 1: timeout')))
    assert.ok(!fitsPattern('a', 'b'))
  })

  it('is the group that says most about the message', () => {
    const group = (pattern: string | null, code = 'KIND_FAILED'): FailureGroup => ({
      kind: 'echo',
      error: { code, pattern },
      count: 1,
      firstAt: at(0),
      lastAt: at(1),
      example: { id: 'another', message: 'm' },
      filter: {},
    })
    const groups = [
      group('… failed'),
      group('row … failed'),
      group('row … failed', 'TIME_LIMIT'),
      group(null),
    ]
    const task = { id: 'a', kind: 'echo', error: { code: 'KIND_FAILED', message: 'row 7 failed' } }
    assert.equal(groupFor(groups, task), groups[1])
    assert.equal(groupFor(groups, { ...task, kind: 'other' }), null)
    assert.equal(groupFor(groups, { ...task, error: null }), null)
    assert.deepEqual(Object.keys(alikeFilter('echo', { code: 'A', message: 'x'.repeat(300) })), [
      'status',
      'kind',
      'errorCode',
    ])
  })
})

describe('why a task waits, in words', () => {
  const waiting = (more: Partial<Waiting>): Waiting => ({
    reason: 'BEHIND',
    since: at(0),
    detail: 'the words of the server',
    facts: {},
    position: 3,
    startsIn: { p50: 4, p90: 9 },
    ...more,
  })

  it('are those of the reader for every reason, with its facts or without', () => {
    const facts = { dueAt: at(9), running: 2, maxConcurrency: 2, rate: '10/s', slots: 4, busy: 4 }
    for (const language of ['en', 'ru'] as const) {
      const [t, f] = [TEXTS[language], createFormats(language, 'utc')]
      for (const reason of WAIT_REASONS)
        for (const found of [{}, facts]) {
          const said = whyInWords(waiting({ reason, facts: found }), t, f)
          assert.match(said, language === 'ru' ? /^[А-ЯЁ].*\.$/ : /^[A-Z\d].*\.$/, reason)
          assert.ok(whyInShort(waiting({ reason, facts: found }), t, f) !== '', reason)
        }
    }
  })

  it('tell place and time, and the words of a server that knows more reasons', () => {
    const [t, f] = [TEXTS.en, createFormats('en', 'utc')]
    assert.equal(positionInWords(waiting({}), t), '3 tasks are before it.')
    assert.equal(positionInWords(waiting({ position: 0 }), t), 'It is next.')
    assert.equal(positionInWords(waiting({ position: null, reason: 'NOT_DUE' }), t), null)
    assert.equal(startInWords(waiting({}), t, f), 'It starts in about 4 s, or up to 9 s.')
    assert.equal(whyInShort(waiting({}), t, f), '3 before it · in 4 s')
    const kindFull = waiting({
      reason: 'KIND_FULL',
      facts: { running: 2, maxConcurrency: 2 },
      startsIn: null,
    })
    assert.equal(whyInShort(kindFull, t, f), 'kind full, 2 of 2')
    const later = waiting({ reason: 'PAUSED' as Waiting['reason'] })
    assert.equal(whyInWords(later, t, f), 'the words of the server')
  })
})
