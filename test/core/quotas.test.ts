// Quotas: who is counted for what, exactly, and what a refusal leaves behind.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import {
  createQuotas,
  NO_QUOTAS,
  type QuotaDetail,
  type QuotaLimits,
  type Submitter,
} from '../../src/core/quotas.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, at } from '../suites/store/world.ts'

const NONE = { account: null, key: null, address: null }
const ANN: Submitter = { account: 'ann', key: null, address: '192.0.2.1' }
const BOB: Submitter = { account: 'bob', key: 'k', address: '192.0.2.1' }
const STRANGER: Submitter = { account: null, key: null, address: null }

const setUp = (limits: Partial<QuotaLimits>) => {
  const time = { ms: Date.parse(at(0)) }
  const store = createMemoryStore({ clock: () => new Date(time.ms) })
  const quotas = createQuotas(store, {
    limits: { ...NO_QUOTAS.limits, ...limits },
    clientOf: address => address.split('.').slice(0, 3).join('.'),
  })
  return { store, quotas, time }
}
const refusal = async (call: Promise<unknown>): Promise<QuotaDetail> => {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  assert.ok(isMadhavaError(error, 'QUOTA_EXCEEDED'), `${error}`)
  return error.detail as QuotaDetail
}

describe('quotas of submits', () => {
  it('hold for each account, and begin anew after a minute', async () => {
    const { quotas, time } = setUp({ submits: { ...NONE, account: 3 } })
    const { quotas: states } = await quotas.admit(ANN, 2)
    assert.deepEqual(states, [{ name: 'account', limit: 3, left: 1, resetSeconds: 60 }])
    time.ms += 20_500
    const told = await refusal(quotas.admit(ANN, 2))
    assert.deepEqual(told, {
      quota: 'QUOTA_SUBMITS_PER_ACCOUNT',
      retryAfterSeconds: 40,
      quotas: [{ name: 'account', limit: 3, left: 1, resetSeconds: 40 }],
    })
    await quotas.admit(ANN, 1)
    await quotas.admit(BOB, 3)
    await quotas.admit(STRANGER, 1_000)
    time.ms += 39_600
    await quotas.admit(ANN, 3)
  })

  it('count nothing of what another quota refuses', async () => {
    const { quotas } = setUp({ submits: { account: 10, key: 2, address: 4 } })
    await quotas.admit(ANN, 1)
    assert.equal((await refusal(quotas.admit(BOB, 3))).quota, 'QUOTA_SUBMITS_PER_KEY')
    assert.equal((await refusal(quotas.admit({ ...BOB, key: null }, 4))).quota, 'QUOTA_SUBMITS_PER_ADDRESS')
    const { quotas: states } = await quotas.admit(BOB, 2)
    assert.deepEqual(
      states.map(({ name, left }) => `${name} ${left}`),
      ['account 8', 'key 0', 'address 1'],
    )
  })

  it('count addresses as one client may have them', async () => {
    const { quotas } = setUp({ submits: { ...NONE, address: 1 } })
    await quotas.admit({ ...STRANGER, address: '192.0.2.1' }, 1)
    await refusal(quotas.admit({ ...STRANGER, address: '192.0.2.9' }, 1))
    await quotas.admit({ ...STRANGER, address: '198.51.100.1' }, 1)
  })
})

describe('quotas of waiting tasks', () => {
  it('count what waits, and let in as many as there is room for, however many ask at once', async () => {
    const { store, quotas } = setUp({ waiting: { account: 10, key: 4, address: null } })
    await add(store, { owner: 'bob' })
    const submit = async (by: Submitter): Promise<boolean> => {
      const admitted = await quotas.admit(by, 1).catch(() => null)
      if (!admitted) return false
      const submittedBy = quotas.submittedBy(by)
      await add(store, { owner: by.account, ...(submittedBy ? { submittedBy } : {}) })
      admitted.done()
      return true
    }
    const withKey = await Promise.all(Array.from({ length: 20 }, () => submit(BOB)))
    assert.equal(withKey.filter(Boolean).length, 4)
    const without = await Promise.all(Array.from({ length: 20 }, () => submit({ ...BOB, key: null })))
    assert.equal(without.filter(Boolean).length, 5)
    assert.equal((await store.counts(['bob'])).total, 10)
    const told = await refusal(quotas.admit(BOB, 1))
    assert.deepEqual(told, {
      quota: 'QUOTA_WAITING_PER_ACCOUNT',
      retryAfterSeconds: 5,
      quotas: [{ name: 'account-waiting', limit: 10, left: 0, resetSeconds: null }],
    })
    assert.equal(await submit(ANN), true)
  })

  it('give the place of what was let in and never stored to another', async () => {
    const { quotas } = setUp({ waiting: { ...NONE, account: 1 } })
    const first = await quotas.admit(ANN, 1)
    const waiting = quotas.admit(ANN, 1)
    await refusal(quotas.admit(ANN, 2))
    first.done()
    first.done()
    const second = await waiting
    second.done()
    ;(await quotas.admit(ANN, 1)).done()
  })

  it('refuse nothing for which there is room, though others are being stored at the same moment', async () => {
    const { store, quotas } = setUp({ waiting: { ...NONE, account: 3 } })
    const submit = async (): Promise<void> => {
      const admitted = await quotas.admit(ANN, 1)
      await add(store, { owner: 'ann' })
      // the store has it, and its answer takes a while
      for (let turn = 0; turn < 20; turn += 1) await store.counts(['ann'])
      admitted.done()
    }
    const first = submit()
    while ((await store.counts(['ann'])).total === 0) await store.counts()
    await Promise.all([first, submit(), submit()])
    await refusal(quotas.admit(ANN, 1))
  })

  it('cost one count at a time, however many ask', async () => {
    const { store } = setUp({})
    let [now, most, all] = [0, 0, 0]
    const quotas = createQuotas(
      {
        ...store,
        async counts(owners) {
          now += 1
          all += 1
          most = Math.max(most, now)
          const found = await store.counts(owners)
          now -= 1
          return found
        },
      },
      { limits: { ...NO_QUOTAS.limits, waiting: { ...NONE, account: 5 } }, clientOf: address => address },
    )
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, async () => {
        const admitted = await quotas.admit(ANN, 1)
        await add(store, { owner: 'ann' })
        admitted.done()
      }),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 5)
    assert.equal(most, 1)
    assert.ok(all <= 12, `${all}`)
  })

  it('are given back when submits are refused, and take no submits when they refuse', async () => {
    const { store, quotas } = setUp({ submits: { ...NONE, account: 2 }, waiting: { ...NONE, account: 2 } })
    ;(await quotas.admit(ANN, 1)).done()
    assert.equal((await refusal(quotas.admit(ANN, 2))).quota, 'QUOTA_SUBMITS_PER_ACCOUNT')
    await add(store, { owner: 'ann' })
    assert.equal((await refusal(quotas.admit(ANN, 2))).quota, 'QUOTA_WAITING_PER_ACCOUNT')
    assert.deepEqual(
      (await quotas.admit(ANN, 1)).quotas.map(({ name, left }) => `${name} ${left}`),
      ['account-waiting 0', 'account 0'],
    )
  })

  it('keep the key and the address in the record only where one counts by them', () => {
    assert.equal(setUp({ submits: { account: 1, key: 1, address: 1 } }).quotas.submittedBy(BOB), undefined)
    assert.equal(setUp({ waiting: { ...NONE, account: 1 } }).quotas.submittedBy(BOB), undefined)
    const { quotas } = setUp({ waiting: { ...NONE, address: 1 } })
    assert.deepEqual(quotas.submittedBy(BOB), { key: null, address: '192.0.2' })
    assert.equal(quotas.submittedBy(STRANGER), undefined)
  })
})
