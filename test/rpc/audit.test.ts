// The audit over Thrift: its pages and filters, and what calls leave there.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import type { AuditEntry } from '../../src/client/accounts.ts'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { createAuditedService } from '../../src/core/audited-service.ts'
import { person } from '../support/actors.ts'
import { entryOf } from '../support/audit-entries.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

describe('the audit over Thrift', { timeout: 300_000 }, () => {
  let bench: Bench
  let admin: RpcClient
  before(async () => {
    const record = createAuditRecorder({
      trail: {
        begin: entry => bench.store.audit.begin(entry),
        end: (...asked) => bench.store.audit.end(...asked),
        add: (...asked) => bench.store.audit.add(...asked),
      },
      clock: () => new Date(),
      onFailed: error => assert.fail(String(error)),
    })
    const who = createFakeAccess({ actors: { root: person('root', 'admin', 'rpc') } })
    bench = await openBench({}, service => createAuditedService(service, record), who)
    admin = createRpcClient({ port: bench.door.address.port, key: 'root' })
  })
  after(async () => {
    admin.close()
    await bench.close()
  })

  const read = async (...asked: Parameters<RpcClient['audit']>): Promise<AuditEntry[]> => {
    const found: AuditEntry[] = []
    for await (const entry of admin.audit(...asked)) found.push(entry)
    return found
  }

  it('has every line once over all pages, the newest first, with what is not known as null', async () => {
    const entries = Array.from({ length: 450 }, (_, n) =>
      entryOf({
        at: `2026-01-01T00:00:00.${String(n).padStart(3, '0')}Z`,
        ...(n % 2 === 0 ? { actor: null, address: null, target: null } : { target: `t${n}` }),
      }),
    )
    await bench.store.audit.add(entries)
    assert.deepEqual(await read({ to: '2026-01-02' }), entries.toReversed())
    const [one] = entries.slice(7)
    assert.deepEqual(
      await read({
        actor: 'ann',
        actions: ['task.submit'],
        target: 't7',
        outcome: 'done',
        from: one?.at ?? '',
      }),
      [one],
    )
    assert.deepEqual(await read({ actions: ['login'], to: new Date(Date.UTC(2026, 0, 2)) }), [])
  })

  it('has what a call did, and where it came from', async () => {
    const { id } = await admin.submit('echo', 1)
    await admin.cancel(id)
    const lines = await read({ target: id })
    assert.deepEqual(
      lines.map(({ action, via, address, actor }) => [action, via, address, actor?.name]),
      [
        ['task.cancel', 'rpc', '127.0.0.1', 'root'],
        ['task.submit', 'rpc', '127.0.0.1', 'root'],
      ],
    )
  })

  it('refuses a filter that is malformed, and says what is wrong with it', async () => {
    const { client, close } = openClient(bench.door)
    await client.authenticate('root')
    for (const [filter, problem] of [
      [{ actions: ['task.steal'] }, /must be out of/],
      [{ timeFrom: 'soon' }, /ISO-8601/],
    ] as const)
      await assert.rejects(
        client.pageAudit(new types.AuditFilter({ ...filter } as never), 0, ''),
        error => error instanceof types.Refused && problem.test(error.message),
      )
    await assert.rejects(client.pageAudit(new types.AuditFilter(), 0, 'x'), { code: 'BAD_CURSOR' })
    // a text that is empty is left out, as other languages send it
    const page = await client.pageAudit(new types.AuditFilter({ actor: '', target: '' }), 1, '')
    assert.equal(page.entries.length, 1)
    close()
  })
})
