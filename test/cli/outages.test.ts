// A server that goes away while somebody looks: it is said once, what comes then is not lost, and Ctrl-C ends at once.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { succeed } from '../../src/core/moves.ts'
import { until } from '../support/until.ts'
import { writesLog } from '../support/writes-log.ts'
import { type ConsoleFixture, openConsole, says } from './console-fixture.ts'

let console_: ConsoleFixture
beforeEach(async () => {
  console_ = await openConsole()
})
afterEach(() => console_.close())

const now = (): string => new Date().toISOString()
const AWAY = 'cannot be reached'
const times = (text: string, what: string): number => text.split(what).length - 1
const end = (id: string) => console_.door.store.move(id, 1, succeed('done', null, now()))

describe('while the server is away', () => {
  it('submit --watch says so once, and sees the end when it is back', async () => {
    const running = console_.begin(['submit', 'echo', '--watch'])
    await says(running, 'err', 'PENDING')
    const id = /[\w-]{36}/.exec(running.err())?.[0] ?? ''
    await console_.door.run(id)
    await says(running, 'err', 'STARTED')
    await console_.network.refuse()
    await says(running, 'err', AWAY)
    await end(id)
    await console_.network.accept()
    const { code, out, err } = await running.ended
    assert.deepEqual([code, out, times(err, AWAY), times(err, 'is back')], [0, 'done', 1, 1])
  })

  it('log -f goes on behind the last line, and no line comes twice or is lost', async () => {
    const { id } = await console_.door.submit('echo', null)
    await console_.door.run(id)
    const { say } = writesLog(console_.door.store, id)
    await say('line 1')
    const running = console_.begin(['log', id, '-f'])
    await says(running, 'out', 'line 1')
    for (let turn = 2; turn < 5; turn += 1) {
      await console_.network.refuse()
      await say(`line ${turn}`)
      await console_.network.accept()
      await says(running, 'out', `line ${turn}`)
    }
    await end(id)
    const { code, out } = await running.ended
    assert.equal(code, 0)
    assert.deepEqual(
      [...out.matchAll(/line (\d)/g)].map(([, n]) => n),
      ['1', '2', '3', '4'],
    )
  })

  it('watch goes on where it was', async () => {
    const running = console_.begin(['watch', '--json'])
    await says(running, 'out', 'live')
    const first = await console_.door.submit('echo', 1)
    await says(running, 'out', first.id)
    await console_.network.refuse()
    const second = await console_.door.submit('echo', 2)
    await console_.network.accept()
    await says(running, 'out', second.id)
    running.signal('SIGINT')
    const { code, out } = await running.ended
    assert.equal(code, 130)
    const seen = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { type: string; task?: { id: string } })
      .filter(({ type }) => type === 'task')
    assert.deepEqual(
      seen.map(({ task }) => task?.id),
      [first.id, second.id],
    )
  })

  it('Ctrl-C ends each of them', async () => {
    const { id } = await console_.door.submit('echo', null)
    const all = [['task', id, '--watch'], ['log', id, '-f'], ['watch']].map(args => console_.begin(args))
    const [task, , watch] = all
    if (task && watch) {
      await says(task, 'err', 'PENDING')
      await console_.door.run(id)
      await says(watch, 'out', 'STARTED')
    }
    await console_.network.refuse()
    for (const running of all) await says(running, 'err', AWAY)
    for (const running of all) running.signal('SIGINT')
    for (const running of all) assert.equal((await running.ended).code, 130)
  })

  it('--patience says when to give up', async () => {
    const running = console_.begin(['watch', '--patience', '0.5'])
    const { id } = await console_.door.submit('echo', null)
    await console_.door.run(id)
    await until('the console is connected', () => console_.network.open() > 0)
    await console_.network.refuse()
    const { code, err } = await running.ended
    assert.equal(code, 5)
    assert.match(err, /^madhava: /m)
  })

  it('a command says so soon, with the code for it', async () => {
    await console_.network.refuse()
    for (const args of [
      ['tasks'],
      ['watch'],
      ['log', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', '-f'],
      ['upload', 'x'],
    ]) {
      const { code, err } = await console_.madhava(args)
      assert.equal(code, 5, args.join(' '))
      assert.match(err, /ECONNREFUSED/)
    }
  })
})
