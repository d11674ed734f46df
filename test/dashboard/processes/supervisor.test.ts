// The wire to PM2 against daemons that misbehave; pm2.test.ts speaks to a real one.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { createProcesses } from '../../../src/dashboard/processes/processes.ts'
import { askSupervisor, decodeFrame, encodeFrame } from '../../../src/dashboard/processes/supervisor.ts'
import { silentLog } from '../../../src/platform/log.ts'

describe('a frame', () => {
  it('comes back as it went, and not before its last byte', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 15 }), args => {
        const bytes = encodeFrame(args)
        assert.deepEqual(decodeFrame(bytes), args)
        for (let length = 0; length < bytes.length; length++)
          assert.equal(decodeFrame(bytes.subarray(0, length)), null)
      }),
    )
  })

  it('is refused when it announces more than a list of processes can have', () => {
    assert.throws(() => decodeFrame(Buffer.from([0x11, 0xff, 0xff, 0xff, 0xff])), RangeError)
  })

  it('is read from any bytes without another error than that', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        try {
          decodeFrame(Buffer.from(bytes))
        } catch (error) {
          assert.ok(error instanceof RangeError)
        }
      }),
    )
  })
})

describe('a daemon that misbehaves', () => {
  let pm2Home: string
  let server: Server | null
  const sockets = new Set<Socket>()

  const daemon = async (answer: (socket: Socket) => void): Promise<void> => {
    const made = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => answer(socket))
    })
    server = made
    await new Promise<void>(resolve => made.listen(path.join(pm2Home, 'rpc.sock'), resolve))
  }
  const ask = (timeoutMs = 20_000) => askSupervisor({ pm2Home, method: 'ping', args: [], timeoutMs })

  beforeEach(async () => {
    server = null
    pm2Home = await mkdtemp(path.join(tmpdir(), 'mp'))
  })
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    const open = server
    if (open) await new Promise(resolve => open.close(resolve))
    await rm(pm2Home, { recursive: true, force: true })
  })

  it('is away when there is no socket', async () => {
    assert.deepEqual(await ask(), { kind: 'away', reason: 'ENOENT' })
  })

  it('is away when it hangs up without an answer', async () => {
    await daemon(socket => socket.end())
    assert.equal((await ask()).kind, 'away')
  })

  it('is silent when it does not answer in time', async () => {
    await daemon(() => {})
    assert.deepEqual(await ask(100), { kind: 'silent' })
  })

  it('is refused for what is no answer', async () => {
    for (const bytes of [
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      encodeFrame(['s:hello']),
      encodeFrame(['j:{broken', 's:1']),
      encodeFrame(['j:null', 's:1']),
      encodeFrame([]),
    ]) {
      await daemon(socket => socket.write(bytes))
      assert.equal((await ask()).kind, 'refused')
      await new Promise(resolve => server?.close(resolve))
    }
  })

  it('has its reason kept from people, and an answer in single bytes is read', async () => {
    await daemon(socket => {
      socket.setNoDelay()
      for (const byte of encodeFrame(['j:{"args":[["a"]]}', 's:1'])) socket.write(Buffer.from([byte]))
    })
    assert.deepEqual(await ask(), { kind: 'answer', value: ['a'] })
    await new Promise(resolve => server?.close(resolve))

    await daemon(socket => socket.write(encodeFrame(['j:{"error":"at /secret/path.js:1"}', 's:1'])))
    assert.deepEqual(await ask(), { kind: 'refused', reason: 'at /secret/path.js:1' })
    const processes = createProcesses({ pm2Home, log: silentLog() })
    await assert.rejects(
      processes.list(),
      error => isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE') && !error.message.includes('secret'),
    )
  })

  it('gives no list out of records of another shape', async () => {
    for (const value of [{}, null, 'x', [1], [{ name: 'a' }]]) {
      await daemon(socket => socket.write(encodeFrame([`j:${JSON.stringify({ args: [value] })}`, 's:1'])))
      const processes = createProcesses({ pm2Home, log: silentLog() })
      await assert.rejects(processes.list(), error => isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE'))
      await new Promise(resolve => server?.close(resolve))
    }
  })

  it('that forgets a stop has its process shown as stopped, until it is started by whomever', async () => {
    const started = Date.now() - 60_000
    const env = { status: 'waiting restart', pm_uptime: started, restart_time: 4 }
    await daemon(socket => {
      const reply = { args: [[{ name: 'worker', pm_id: 1, pid: 7, pm2_env: env }]] }
      socket.write(encodeFrame([`j:${JSON.stringify(reply)}`, 's:1']))
    })
    const processes = createProcesses({ pm2Home, log: silentLog() })
    const stateNow = async () => (await processes.list())[0]?.state
    // it waits indeed
    assert.equal(await stateNow(), 'waiting restart')
    assert.equal((await processes.act('stop', 'worker', 'operator')).outcome, 'done')
    assert.equal(await stateNow(), 'stopped')
    assert.equal((await processes.act('stop', 'worker', 'operator')).outcome, 'unchanged')
    assert.equal((await processes.act('start', 'worker', 'operator')).outcome, 'done')
    assert.equal(await stateNow(), 'waiting restart')
    await processes.act('stop', 'worker', 'operator')
    env.pm_uptime = Date.now() + 1000
    assert.equal(await stateNow(), 'waiting restart')
  })
})
