// Who calls on a connection: what it has shown, for each call afresh, and never what another one has shown.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import fc from 'fast-check'
import types from '../../gen/js/rpcinterface_types.js'
import type { Service } from '../../src/core/service.ts'
import { createOriginalMethods } from '../../src/rpc/original.ts'
import { waitAs } from '../../src/rpc/wait-as.ts'
import { createConnectionCall } from '../../src/rpc/who-calls.ts'
import { keyOf, person } from '../support/actors.ts'
import { createFakeAccess, type FakeAccess } from '../support/fake-access.ts'
import { soon } from '../support/soon.ts'
import { type Bench, openBench, openClient, until } from './fixture.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

const actors = {
  ann: keyOf('ann', 'user'),
  bob: keyOf('bob', 'user'),
  cleo: keyOf('cleo', 'operator'),
}
const opened = async (who: FakeAccess = createFakeAccess({ anonymous: 'none', actors })): Promise<Bench> => {
  const bench = await openBench({}, undefined, who)
  toClose.push(() => bench.close())
  return bench
}
const clientOf = ({ door }: Bench) => {
  const { client, close } = openClient(door)
  toClose.push(close)
  return client
}
type Client = ReturnType<typeof clientOf>
const nameOf = async (client: Client): Promise<string | null> => (await client.me()).account?.name ?? null
const unauthorized = { name: 'Refused', code: 'UNAUTHORIZED', status: 401 }
const NO_OPTIONS = new types.SubmitOptions()

describe('a connection', { timeout: 300_000 }, () => {
  it('calls for nobody until it has shown something, and for whom that is from then on', async () => {
    const client = clientOf(await opened())
    const nobody = await client.me()
    assert.deepEqual([nobody.account, nobody.scopes, nobody.credential], [null, [], null])
    const me = await client.authenticate('ann')
    assert.deepEqual([me.account?.name, me.scopes, me.sees], ['ann', ['read', 'submit'], 'own-and-unowned'])
    assert.deepEqual({ ...me.credential }, { type: 'key', id: 'key-of-ann' })
    assert.deepEqual(await client.me(), me)
    assert.equal((await client.submitTask('echo', '1', NO_OPTIONS)).owner, 'ann')
    assert.equal((await client.authenticate('bob')).account?.name, 'bob')
    assert.equal((await client.submitTask('echo', '1', NO_OPTIONS)).owner, 'bob')
  })

  it('has no login after something wrong, whatever it had before', async () => {
    const client = clientOf(await opened())
    await client.authenticate('ann')
    await assert.rejects(client.authenticate('wrong'), unauthorized)
    assert.equal(await nameOf(client), null)
    await client.authenticate('ann')
    assert.equal(await nameOf(client), 'ann')
  })

  it('does not call for a stranger when its key has ended', async () => {
    const bench = await opened(createFakeAccess({ anonymous: 'full', actors }))
    const client = clientOf(bench)
    await client.authenticate('ann')
    const { id } = await client.submitTask('echo', '1', NO_OPTIONS)
    bench.who.revoke('ann')
    await assert.rejects(client.getTask(id), unauthorized)
    await assert.rejects(client.listKinds(), unauthorized)
    await assert.rejects(client.me(), unauthorized)
    await assert.rejects(client.getTaskStatus(id), { name: 'BadTask', error_code: 401 })
    const undeclared = { name: 'TApplicationException', message: /^UNAUTHORIZED: / }
    await assert.rejects(client.startCalcPi(1), undeclared)
    await assert.rejects(client.listTasks(), undeclared)
    await client.ping()
    await client.authenticate('bob')
    assert.equal(await nameOf(client), 'bob')
  })

  it('calls with the rights of this moment', async () => {
    const bench = await opened()
    const client = clientOf(bench)
    await client.authenticate('ann')
    bench.who.change('ann', keyOf('ann', 'viewer'))
    assert.deepEqual((await client.me()).scopes, ['read'])
  })

  it('calls for whom it has shown before, when all is sent at once', async () => {
    const client = clientOf(await opened())
    const names = ['ann', 'bob', 'cleo', 'ann']
    const seen = await Promise.all(names.flatMap(name => [client.authenticate(name), client.me()]))
    assert.deepEqual(
      seen.map(({ account }) => account?.name),
      names.flatMap(name => [name, name]),
    )
  })

  it('is refused whatever is no key, however long or strange', async () => {
    const client = clientOf(await opened())
    const text = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        'ann ',
        'Ann',
        'Bearer ann',
        '\0',
        '__proto__',
        'constructor',
        'x'.repeat(10_000),
      ),
      fc.string({ unit: 'binary', maxLength: 200 }),
    )
    await fc.assert(
      fc.asyncProperty(text, async garbage => {
        fc.pre(!Object.hasOwn(actors, garbage))
        await assert.rejects(client.authenticate(garbage), unauthorized)
        assert.equal(await nameOf(client), null)
      }),
      { numRuns: 50 },
    )
    await assert.rejects(client.authenticate(undefined as never), { name: 'Refused', code: 'BAD_REQUEST' })
  })

  it('of several at once never calls for whom another one has shown', async () => {
    const bench = await opened()
    const step = fc.constantFrom('ann', 'bob', 'cleo', 'wrong', 'me', 'submit')
    const script = fc.array(step, { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(script, { minLength: 2, maxLength: 4 }), async scripts => {
        const run = async (steps: readonly string[]): Promise<void> => {
          const { client, close } = openClient(bench.door)
          let expected: string | null = null
          for (const step of steps)
            if (step === 'me') assert.equal(await nameOf(client), expected)
            else if (step === 'submit') {
              if (expected === null) continue
              assert.equal((await client.submitTask('echo', '1', NO_OPTIONS)).owner, expected)
            } else {
              expected = step === 'wrong' ? null : step
              await client.authenticate(step).catch(() => assert.equal(step, 'wrong'))
            }
          assert.equal(await nameOf(client), expected)
          close()
        }
        await Promise.all(scripts.map(run))
      }),
      { numRuns: 30 },
    )
  })

  it('keeps what was shown last when an earlier try ends after it', async () => {
    const { access } = createFakeAccess({ actors })
    let end = (): void => undefined
    const slow = new Promise<void>(resolve => {
      end = resolve
    })
    const identify: typeof access.identify = async (bearer, via) => {
      const actor = await access.identify(bearer, via)
      if (bearer === 'ann') await slow
      return actor
    }
    const call = createConnectionCall({ ...access, identify }, { via: 'rpc', address: null, agent: null })
    const first = call.authenticate('ann')
    await call.authenticate('bob')
    end()
    assert.equal((await first).name, 'ann')
    assert.equal((await call.actor()).name, 'bob')
  })
})

describe('a long list', { timeout: 300_000 }, () => {
  it('ends between two pages when the key is revoked, and reads nothing more', async () => {
    const who = createFakeAccess({ anonymous: 'none', actors })
    const call = createConnectionCall(who.access, { via: 'rpc', address: null, agent: null })
    await call.authenticate('ann')
    const pages: (string | null)[] = []
    let onPage = (): void => undefined
    const service = {
      async list(_actor: unknown, _filter: unknown, { cursor }: { cursor: string | null }) {
        pages.push(cursor)
        onPage()
        return { tasks: [], next: pages.length < 3 ? `page ${pages.length}` : null }
      },
    } as unknown as Service
    const methods = createOriginalMethods({
      service,
      access: who.access,
      limits: { listedTasks: 10, lists: 1 },
    })
    const { signal } = new AbortController()
    const list = async () => methods.get('listTasks')?.run([], signal, call)
    assert.deepEqual(await list(), [])
    assert.deepEqual(pages.splice(0), [null, 'page 1', 'page 2'])
    onPage = () => who.revoke('ann')
    await assert.rejects(list, { code: 'UNAUTHORIZED' })
    assert.deepEqual([pages, who.watches()], [[null], 0])
  })
})

describe('a wait for a change', { timeout: 300_000 }, () => {
  const waiting = async () => {
    const bench = await opened()
    const client = clientOf(bench)
    await client.authenticate('ann')
    const task = await client.submitTask('echo', '1', NO_OPTIONS)
    const wait = client.waitTask(task.id, task.version, 30_000)
    // looked at below; it may end before that
    wait.catch(() => undefined)
    await until('the wait is watched', () => bench.who.watches() === 1)
    return { bench, client, task, wait }
  }

  it('ends when the key is revoked', async () => {
    const { bench, client, wait } = await waiting()
    bench.who.revoke('ann')
    await assert.rejects(wait, unauthorized)
    assert.equal(bench.who.watches(), 0)
    await client.ping()
  })

  it('ends at once, and not when its time is over', async () => {
    const who = createFakeAccess({ actors })
    const call = createConnectionCall(who.access, { via: 'rpc', address: null, agent: null })
    await call.authenticate('ann')
    const endless = (_actor: unknown, signal: AbortSignal) =>
      new Promise<string>(resolve => signal.addEventListener('abort', () => resolve('ended')))
    const { signal } = new AbortController()
    const wait = waitAs({ access: who.access, call, signal }, endless, async () => 'looked')
    wait.catch(() => undefined)
    await until('the wait is watched', () => who.watches() === 1)
    who.revoke('ann')
    await assert.rejects(soon(wait, 'the end'), { code: 'UNAUTHORIZED' })
    assert.equal(who.watches(), 0)
  })

  it('answers the task, as the account may still see it, when its rights have changed', async () => {
    const { bench, task, wait } = await waiting()
    bench.who.change('ann', keyOf('ann', 'viewer'))
    assert.equal((await wait).version, task.version)
    assert.equal(bench.who.watches(), 0)
  })

  it('leaves no watch behind when the task changes, or is not there', async () => {
    const { bench, client, task, wait } = await waiting()
    await bench.service.cancel(person('ann'), task.id)
    assert.equal((await wait).status, 'REVOKED')
    await assert.rejects(client.waitTask('x', '', 1), { code: 'BAD_ID' })
    assert.equal(bench.who.watches(), 0)
  })
})
