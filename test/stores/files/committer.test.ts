// Group commit: what may go on at the same time, and what must not. With a disk of the test's own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createCommitter } from '../../../src/stores/files/log/committer.ts'
import type { Wal, WalEntry } from '../../../src/stores/files/log/wal.ts'
import type { Draft, Writer } from '../../../src/stores/files/log/writer.ts'

const idOf = (entry: WalEntry): string => (entry.type === 'task' ? entry.task.id : entry.id)

const setUp = (apart = true) => {
  const events: string[] = []
  const failures: unknown[] = []
  /** Syncs that the test has not let end. */
  const syncs: { resolve: () => void; reject: (error: Error) => void }[] = []
  const names = (drafts: readonly Draft[]): string => drafts.map(({ file }) => file).join('+')
  const writer: Writer = {
    apart,
    take: async () => ({ taken: false }),
    async write(drafts) {
      events.push(`write ${names(drafts)}`)
      return drafts.map(() => null)
    },
    async show(drafts) {
      await turn()
      events.push(`show ${names(drafts)}`)
      return drafts.map(() => true)
    },
    async discard(drafts) {
      events.push(`discard ${names(drafts)}`)
    },
    async close() {},
  }
  const wal: Wal = {
    append: entries => void events.push(`log ${entries.map(idOf).join('+')}`),
    sync: () => new Promise((resolve, reject) => syncs.push({ resolve, reject })),
    size: () => 0,
    rotate: () => null,
    close: () => {},
  }
  const committer = createCommitter({
    wal,
    writer,
    onVisible: () => {},
    onFailure: error => failures.push(error),
  })
  const commit = (id: string): Promise<string> =>
    committer.commitDraft(
      { type: 'revoke', id, at: '2026-11-27T10:00:00.000Z' },
      () => ({ tmpFile: `.${id}`, file: id, text: id, once: false, release: null }),
      shown => `${id} ${shown}`,
    )
  /** Lets everything happen that waits for no sync. */
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await turn()
  }
  const take = (): string[] => events.splice(0)
  return { committer, commit, syncs, failures, settle, take }
}

describe('the committer', () => {
  it('writes aside what comes while a batch is synced, and logs it in one when that batch is shown', async () => {
    const { commit, syncs, settle, take } = setUp()
    const first = commit('a')
    await settle()
    assert.deepEqual(take(), ['write a', 'log a'])
    const second = commit('b')
    await settle()
    const third = commit('c')
    await settle()
    assert.deepEqual(take(), ['write b', 'write c'])
    assert.equal(syncs.length, 1)
    syncs[0]?.resolve()
    assert.equal(await first, 'a true')
    await settle()
    assert.deepEqual(take(), ['show a', 'log b+c'])
    syncs[1]?.resolve()
    assert.deepEqual(await Promise.all([second, third]), ['b true', 'c true'])
    assert.deepEqual(take(), ['show b+c'])
  })

  it('leaves what comes during a sync for later where the same thread would have to write it', async () => {
    const { commit, syncs, settle, take } = setUp(false)
    const first = commit('a')
    await settle()
    const others = [commit('b'), commit('c')]
    await settle()
    assert.deepEqual(take(), ['write a', 'log a'])
    syncs[0]?.resolve()
    assert.equal(await first, 'a true')
    others.push(commit('d'))
    await settle()
    assert.deepEqual(take(), ['show a', 'write b+c+d', 'log b+c+d'])
    syncs[1]?.resolve()
    assert.deepEqual(await Promise.all(others), ['b true', 'c true', 'd true'])
  })

  it('has nothing logged and not shown while it does what goes between, and settles after all of it', async () => {
    const { committer, commit, syncs, settle, take } = setUp()
    const first = commit('a')
    await settle()
    const second = commit('b')
    const seen: string[][] = []
    const between = committer.between(async () => {
      await turn()
      seen.push(take())
    })
    let settled = false
    const end = committer.settled().then(() => {
      settled = true
    })
    await settle()
    assert.deepEqual([take(), seen], [['write a', 'log a', 'write b'], []])
    syncs[0]?.resolve()
    await Promise.all([first, between])
    assert.deepEqual(seen, [['show a']])
    await settle()
    assert.deepEqual(take(), ['log b'])
    assert.equal(settled, false)
    syncs[1]?.resolve()
    await Promise.all([second, end])
    assert.deepEqual(take(), ['show b'])
  })

  it('brings all to its end that came during a sync, however many, and is not settled before', async () => {
    const { committer, commit, syncs, settle, take } = setUp()
    const first = commit('first')
    await settle()
    const many = Array.from({ length: 150 }, (_, n) => commit(`n${n}`))
    await settle()
    let settled = false
    const end = committer.settled().then(() => {
      settled = true
    })
    assert.equal(syncs.length, 1)
    for (let done = 0; done < syncs.length; done += 1) {
      assert.equal(settled, false)
      syncs[done]?.resolve()
      await settle()
    }
    assert.equal(await first, 'first true')
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, n) => `n${n} true`),
    )
    await end
    const logged = take().flatMap(event => (event.startsWith('log ') ? [event.split('+').length] : []))
    assert.equal(
      logged.reduce((sum, each) => sum + each),
      151,
    )
  })

  it('refuses all that waits when a sync fails, takes it back, and logs nothing more', async () => {
    const { committer, commit, syncs, failures, settle, take } = setUp()
    const lost = [commit('a')]
    await settle()
    lost.push(commit('b'))
    await settle()
    take()
    syncs[0]?.reject(Object.assign(new Error('the disk is gone'), { code: 'EIO' }))
    const outcomes = await Promise.allSettled(lost)
    assert.deepEqual(
      outcomes.map(outcome => outcome.status === 'rejected' && outcome.reason.code),
      ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE'],
    )
    assert.deepEqual(take(), ['discard a', 'discard b'])
    assert.equal(failures.length, 1)
    await assert.rejects(commit('c'), { code: 'STORE_UNAVAILABLE' })
    await committer.settled()
    assert.deepEqual([take(), syncs.length], [[], 1])
  })
})
