// The commands against a real REST door: what they print, for people and for scripts, and what they do.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { z } from 'zod'
import { widthOf } from '../../src/cli/terminal/width.ts'
import type { Task } from '../../src/client/client.ts'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { fail, report, succeed } from '../../src/core/moves.ts'
import { uploadSchema } from '../../src/core/upload-ref.ts'
import manual from '../../src/kinds/manual.ts'
import { anybody } from '../support/actors.ts'
import { until } from '../support/until.ts'
import { writesLog } from '../support/writes-log.ts'
import { type ConsoleFixture, openConsole, says } from './console-fixture.ts'

const picture = defineKind({
  summary: 'Looks at a picture',
  params: z.strictObject({ image: uploadSchema(), size: z.int().default(1).describe('in pixels') }),
  result: z.json(),
  example: { image: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' }, size: 1 },
  run: () => null,
})
const NASTY = 'a\u001b[31mred\u0007\u202e\n日本'

let console_: ConsoleFixture
beforeEach(async () => {
  console_ = await openConsole({
    kinds: [loadKind('picture', picture, 'picture.ts'), loadKind('manual', manual, 'manual.ts')],
  })
})
afterEach(() => console_.close())

const now = (): string => new Date().toISOString()
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await console_.madhava([...args, '--json'])
  assert.deepEqual([code, err], [0, ''])
  return JSON.parse(out) as T
}

describe('submit', () => {
  it('submits with typed params and everything that a submission may have, and prints the id', async () => {
    const { code, out, err } = await console_.madhava([
      ...['submit', 'calcpi', 'digits=10', 'method=plain', '--title', NASTY, '--priority', '7'],
      ...['--not-before', '2h', '--max-attempts', '2', '--hard-seconds', '9'],
    ])
    assert.deepEqual([code, err], [0, ''])
    const id = out.trim()
    const task = await console_.door.store.get(id)
    assert.deepEqual(task?.params, { digits: 10, method: 'plain', pace: 0 })
    assert.deepEqual(
      [task?.title, task?.priority, task?.maxAttempts, task?.limits.hardSeconds],
      [NASTY, 7, 2, 9],
    )
    assert.ok(Date.parse(task?.notBefore ?? '') > Date.now() + 3_600_000)
    const once = ['submit', 'calcpi', 'digits=10', '--key', 'once']
    assert.equal((await console_.madhava(once)).out, (await console_.madhava(once)).out)
  })

  it('takes params from a file and from standard input', async () => {
    const file = path.join(console_.home, 'params.json')
    writeFileSync(file, '{"digits": 5}')
    const task = await json<Task>('submit', 'calcpi', 'digits=6', '--params', file)
    assert.deepEqual(task.params, { digits: 6, method: 'wijngaarden', pace: 0 })
    const { out } = await console_.madhava(['submit', 'echo', '--params', '-', '--json'], {
      input: '["a", 1]',
    })
    assert.deepEqual((JSON.parse(out) as Task).params, ['a', 1])
    assert.equal((await console_.madhava(['submit', 'echo', '--params', '/nowhere'])).code, 2)
  })

  it('sends the files that params name', async () => {
    const file = path.join(console_.home, 'photo.png')
    writeFileSync(file, 'bytes')
    const { params } = await json<Task>('submit', 'picture', `image=@${file}`)
    const { image } = params as { image: { $upload: string } }
    const upload = await json<{ id: string; name: string }>('upload', file)
    assert.equal(upload.name, 'photo.png')
    assert.notEqual(upload.id, image.$upload)
    assert.equal((await console_.madhava(['submit', 'picture', 'image=@/nowhere'])).code, 2)
  })

  it('with --watch follows the task to its end, and prints its result alone on standard output', async () => {
    const running = console_.begin(['submit', 'echo', '--watch', '--params', '-'], { input: '"hello"' })
    await says(running, 'err', /was submitted: [\w-]{36}/)
    const id = /[\w-]{36}/.exec(running.err())?.[0] ?? ''
    await console_.door.run(id)
    await console_.door.store.move(
      id,
      1,
      report({ percent: 5, note: 'at it', etaSeconds: null }, null, now()),
    )
    await says(running, 'err', 'PROGRESS')
    await console_.door.store.move(id, 1, succeed('done', null, now()))
    const { code, out } = await running.ended
    assert.deepEqual([code, out], [0, 'done'])
  })

  it('with --watch and --json prints the task at each change', async () => {
    const running = console_.begin(['submit', 'echo', 'a=1', '--watch', '--json'])
    await until('it is there', async () => (await console_.door.store.counts()).total === 1)
    const { tasks } = await console_.door.store.list({}, { limit: 1, cursor: null })
    const id = tasks[0]?.id ?? ''
    await says(running, 'out', 'PENDING')
    await console_.door.run(id)
    await says(running, 'out', 'STARTED')
    await console_.door.store.move(id, 1, succeed('done', null, now()))
    const { code, out } = await running.ended
    const seen = out
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as Task).status)
    assert.deepEqual([code, seen], [0, ['PENDING', 'STARTED', 'SUCCESS']])
  })

  it('with --watch ends with 1 when the task fails or is cancelled, and Ctrl-C leaves the task alone', async () => {
    const watch = async () => {
      const running = console_.begin(['submit', 'echo', '--watch'])
      await says(running, 'err', /was submitted: [\w-]{36}/)
      return { running, id: /[\w-]{36}/.exec(running.err())?.[0] ?? '' }
    }
    const failing = await watch()
    await console_.door.run(failing.id)
    await console_.door.store.move(
      failing.id,
      1,
      fail({ code: 'KIND_ERROR', message: `bad ${NASTY}`, detail: null }, null, now()),
    )
    const failed = await failing.running.ended
    assert.equal(failed.code, 1)
    assert.match(failed.err, /has failed: KIND_ERROR: bad a\\u001b\[31mred/)
    const cancelled = await watch()
    assert.equal((await console_.madhava(['cancel', cancelled.id])).out, `${cancelled.id} REVOKED\n`)
    assert.equal((await cancelled.running.ended).code, 1)
    const left = await watch()
    left.running.signal('SIGINT')
    assert.equal((await left.running.ended).code, 130)
    assert.equal((await console_.door.store.get(left.id))?.status, 'PENDING')
  })
})

describe('lists and records', () => {
  it('show tasks in a table that fits the terminal, whatever is in the titles', async () => {
    for (const title of ['plain', NASTY, '日本語のタイトル'.repeat(10), '🎉'.repeat(40)])
      await console_.door.submit('echo', null, { title })
    for (const columns of [40, 60, 80, 120, 200]) {
      const { code, out } = await console_.madhava(['tasks'], { columns })
      const lines = out.trimEnd().split('\n')
      assert.deepEqual([code, lines.length], [0, 5])
      for (const line of lines) {
        assert.ok(widthOf(line) <= columns, line)
        assert.doesNotMatch(line, /\p{Cc}/u)
      }
    }
    const { out } = await console_.madhava(['tasks'])
    assert.ok(out.includes('日本語のタイトル'.repeat(10)), 'on a pipe nothing is cut')
  })

  it('take the filters of the API, and page through everything', async () => {
    const ids: string[] = []
    for (let n = 0; n < 7; n += 1) ids.push((await console_.door.submit('echo', n)).id)
    await console_.door.submit('calcpi', { digits: 1 })
    const page = await json<{ tasks: Task[] }>(
      'tasks',
      '--kind',
      'echo',
      '--status',
      'pending',
      '--limit',
      '3',
    )
    assert.deepEqual(
      page.tasks.map(({ id }) => id),
      ids.slice(-3).reverse(),
    )
    const { out } = await console_.madhava([
      'tasks',
      '--all',
      '--kind',
      'echo',
      '--sort',
      'createdAt',
      '--json',
    ])
    assert.deepEqual(
      out
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as Task).id),
      ids,
    )
    assert.equal((await json<{ tasks: Task[] }>('tasks', '--from', '1h', '--why')).tasks.length, 8)
    assert.equal((await json<{ tasks: Task[] }>('tasks', '--to', '1h')).tasks.length, 0)
    for (const wrong of [['--status', 'x'], ['--from', 'x'], ['--sort', 'x'], ['--limit', '0'], ['--mine']])
      assert.equal((await console_.madhava(['tasks', ...wrong])).code, 2, wrong.join(' '))
  })

  it('show one task by the end of its id too', async () => {
    const { id } = await console_.door.submit('echo', { a: 1 }, { title: NASTY })
    const { out } = await console_.madhava(['task', id.slice(-8)])
    assert.match(out, new RegExp(`^id +${id}$`, 'm'))
    assert.match(out, /^title +a\\u001b\[31mred/m)
    assert.equal((await json<Task>('task', `…${id.slice(-8)}`)).id, id)
    assert.equal((await console_.madhava(['task', 'ffffffffffff'])).code, 3)
    assert.equal((await console_.madhava(['task', 'nonsense'])).code, 2)
    const waiting = await console_.madhava(['why', id])
    assert.match(waiting.out, /^NO_WORKER /)
    assert.equal((await json<{ reason: string }>('why', id)).reason, 'NO_WORKER')
  })

  it('show the server, its kinds, and how a kind is called', async () => {
    const status = await console_.madhava(['status'], { columns: 60 })
    assert.match(status.out, /^Madhava 1\.2\.3$/m)
    assert.equal((await json<{ name: string }>('status')).name, 'madhava')
    const { out, err } = await console_.madhava(['kinds'])
    assert.match(out, /^calcpi +Pi$/m)
    assert.match(err, /broken cannot be used: no luck/)
    const kind = await console_.madhava(['kinds', 'picture'])
    assert.match(kind.out, /^image +file/m)
    assert.match(kind.out, /^\[size\] +integer +1 +in pixels$/m)
    assert.match(kind.out, /madhava submit picture image=@FILE size=1/)
    assert.equal((await json<{ name: string }>('kinds', 'calcpi')).name, 'calcpi')
    assert.equal((await json<unknown[]>('kinds')).length, 4)
    assert.equal((await console_.madhava(['kinds', 'nothing'])).code, 3)
  })
})

describe('results, logs and files', () => {
  it('come out as they are on a pipe, and without control characters on a terminal', async () => {
    const bytes = Buffer.from(`one\r\ntwo\u001b[2J\u0000${'x'.repeat(100_000)}`)
    const { id } = await console_.door.ended(null, { name: 'result.txt', bytes })
    assert.equal((await console_.madhava(['result', id])).out, bytes.toString())
    const shown = (await console_.madhava(['result', id], { columns: 80 })).out
    assert.ok(shown.startsWith('one\ntwo\\u001b[2J\\u0000xxx') && shown.endsWith('x\n'))
    const { result } = await json<{ result: string }>('result', id)
    assert.equal(result, bytes.toString())
  })

  it('go into a file that is whole or not there, over a connection that breaks', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251))
    const { id } = await console_.door.ended(null, { name: 'result.txt', bytes })
    const file = path.join(console_.home, 'result')
    const cut = console_.network.cutAt({ direction: 'down', after: 1_000_000 })
    const { code, err } = await console_.madhava(['result', id, '-o', file])
    await cut
    assert.equal(code, 0)
    assert.match(err, /broke off after \d+ bytes .*going on\nThe server is back\n/)
    assert.deepEqual(readFileSync(file), bytes)
    assert.equal((await console_.madhava(['result', id, '-o', file])).code, 2)
    assert.equal((await console_.madhava(['result', id, '-o', file, '--force'])).code, 0)
    const gone = console_.network.cutAt({ direction: 'down', after: 1_000_000 })
    const lost = console_.begin(['result', id, '-o', `${file}2`, '--patience', '0'])
    await gone
    await console_.network.refuse()
    assert.equal((await lost.ended).code, 5)
    await console_.network.accept()
    assert.deepEqual(readdirSync(console_.home).sort(), ['result'])
    assert.equal((await console_.madhava(['result', id, '-o', console_.home, '--force'])).code, 2)
  })

  it('begin anew when another result has taken the place of the first one', async () => {
    const bytes = Buffer.alloc(3_000_000, 'a')
    const { id } = await console_.door.ended(null, { name: 'result.txt', bytes })
    const file = path.join(console_.home, 'result')
    const cut = console_.network.cutAt({ direction: 'down', after: 1_000_000 })
    const running = console_.begin(['result', id, '-o', file])
    await cut
    await console_.network.refuse()
    await console_.door.service.retry(anybody(), id)
    const claimed = await console_.door.run(id)
    await console_.door.store.putBlob(id, 'result.txt', Buffer.alloc(2_000_000, 'b'))
    await console_.door.store.move(id, claimed?.claim ?? 0, succeed(null, 2_000_000, now()))
    await console_.network.accept()
    assert.equal((await running.ended).code, 0)
    assert.equal(readFileSync(file, 'utf8'), 'b'.repeat(2_000_000))
  })

  it('of a log are its lines, and with --follow those that come, up to the end', async () => {
    const { id } = await console_.door.submit('echo', null)
    await console_.door.run(id)
    const { say } = writesLog(console_.door.store, id)
    await say(`first ${NASTY}`)
    assert.match((await console_.madhava(['log', id])).out, /first a\\u001b\[31mred/)
    const running = console_.begin(['log', id, '-f', '--json'])
    await says(running, 'out', 'first')
    await say('second')
    await says(running, 'out', 'second')
    await console_.door.store.move(id, 1, succeed('done', null, now()))
    const { code, out } = await running.ended
    assert.equal(code, 0)
    assert.deepEqual(
      out
        .trim()
        .split('\n')
        .map(line => (JSON.parse(line) as { n: number }).n),
      [1, 2],
    )
    assert.equal((await json<unknown[]>('log', id)).length, 2)
  })
})

describe('what happens', () => {
  it('is told by watch as it happens, after a cursor too', async () => {
    const running = console_.begin(['watch', '--json', '--kind', 'echo'])
    await says(running, 'out', 'live')
    const { id } = await console_.door.submit('echo', null, { title: NASTY })
    await says(running, 'out', id)
    running.signal('SIGINT')
    const { code, out } = await running.ended
    assert.equal(code, 130)
    const events = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { type: string; cursor: string })
    assert.deepEqual(
      events.map(({ type }) => type),
      ['live', 'task'],
    )
    await console_.door.run(id)
    const again = console_.begin(['watch', '--since', events[1]?.cursor ?? ''])
    await says(again, 'out', 'STARTED')
    again.signal('SIGTERM')
    const { code: ended, out: lines } = await again.ended
    assert.equal(ended, 143)
    assert.match(lines, /echo {2}STARTED {3}a\\u001b\[31mred/)
  })
})

describe('tasks that are acted on', () => {
  it('are cancelled, retried and purged, several at once, each told of', async () => {
    const [one, two] = [await console_.door.submit('echo', 1), await console_.door.submit('echo', 2)]
    const { code, out, err } = await console_.madhava(['cancel', one.id, 'ffffffffffff', two.id.slice(-10)])
    assert.equal(code, 3)
    assert.equal(out, `${one.id} REVOKED\n${two.id} REVOKED\n`)
    assert.match(err, /no task whose id ends in ffffffffffff/)
    assert.equal((await console_.madhava(['cancel', one.id])).code, 1)
    assert.equal((await console_.madhava(['retry', one.id])).out, `${one.id} PENDING\n`)
    assert.equal((await console_.madhava(['purge', two.id])).code, 2)
    assert.equal((await console_.madhava(['purge', two.id, '--yes'])).code, 0)
    assert.equal((await console_.madhava(['task', two.id])).code, 3)
  })

  it('and those that are dead are listed, replayed and discarded', async () => {
    const dead = console_.door
    const { id } = await dead.submit('echo', null)
    await dead.run(id)
    await dead.store.move(id, 1, fail({ code: 'WORKER_LOST', message: 'gone', detail: null }, null, now()))
    const list = await json<{ tasks: { task: { id: string } }[] }>('dead')
    const told = await console_.madhava(['dead', 'list'])
    assert.deepEqual(
      list.tasks.map(({ task }) => task.id),
      [id],
    )
    assert.match(told.out, /WORKER_LOST/)
    const { code, out } = await console_.madhava(['dead', 'replay', id])
    assert.deepEqual([code, out], [0, `${id} PENDING\n`])
    assert.equal((await console_.madhava(['dead', 'discard', id])).code, 2)
    assert.equal(
      (await console_.madhava(['dead', 'discard', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', '--yes'])).code,
      3,
    )
  })
})

describe('the shared list', () => {
  it('is added to, shown, edited, completed, opened again and emptied', async () => {
    const { code, out } = await console_.madhava(['todo', 'add', 'Water', NASTY, '--for', 'alice'])
    assert.equal(code, 1, 'a title is one line')
    assert.equal(out, '')
    const first = await console_.madhava(['todo', 'add', 'Water', 'the', '植物', '--for', 'alice'])
    const second = await json<{ id: string; title: string; status: string }>(
      'todo',
      'add',
      'Call',
      '-d',
      'Bob',
    )
    assert.deepEqual([first.code, second.title, second.status], [0, 'Call', 'PENDING'])
    const id = first.out.trim()
    const lines = (await console_.madhava(['todo'], { columns: 60 })).out.trimEnd().split('\n')
    assert.deepEqual([lines.length, new Set(lines.map(line => widthOf(line) <= 60)).has(false)], [3, false])
    assert.match(lines[2] ?? '', /^…\S{8} {2}Water the 植物 {2}alice/)

    const edit = ['todo', 'edit', id.slice(-12), '--title', 'Water all', '--for', '']
    assert.equal((await console_.madhava(edit)).out, `${id} PENDING\n`)
    assert.equal((await console_.madhava(['todo', 'edit', id])).code, 2)
    const { items } = await json<{ items: Task[] }>('todo', 'list', '-q', 'water')
    assert.deepEqual(
      items.map(({ title, params }) => [title, params]),
      [['Water all', {}]],
    )

    const done = await console_.madhava(['todo', 'done', id, second.id, '-m', 'Both floors'])
    assert.deepEqual([done.code, done.out], [0, `${id} SUCCESS\n${second.id} SUCCESS\n`])
    const again = await console_.madhava(['todo', 'done', id])
    assert.deepEqual([again.code, again.out], [1, ''])
    assert.match(again.err, /completed/)
    assert.match((await console_.madhava(['todo', '--done'])).out, /Water all .*SUCCESS .*Both floors/)
    assert.equal((await console_.madhava(['todo'])).err, 'Nothing is to be done.\n')

    assert.equal((await console_.madhava(['todo', 'reopen', id])).out, `${id} PENDING\n`)
    assert.equal((await console_.madhava(['todo', 'rm', id])).code, 2, 'it asks first')
    assert.equal((await console_.madhava(['todo', 'rm', id, second.id, '--yes'])).code, 0)
    assert.equal((await console_.door.store.counts()).total, 0)
  })
})
