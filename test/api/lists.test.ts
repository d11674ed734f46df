import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { parseFilter, parsePage } from '../../src/api/list-query.ts'
import { isMadhavaError, MadhavaError } from '../../src/core/errors.ts'
import { fail, start, succeed } from '../../src/core/moves.ts'
import { STATUSES, type TaskRecord } from '../../src/core/task.ts'
import { type TaskView, viewTask } from '../../src/core/task-view.ts'
import { anybody } from '../support/actors.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

type Page = { tasks: TaskView[]; next: string | null }

describe('the lists of tasks', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const page = async (query: string): Promise<Page> => {
    const response = await door.app.request(`/tasks${query}`)
    assert.equal(response.status, 200, await response.clone().text())
    return jsonOf<Page>(response)
  }
  const all = async (query: string): Promise<TaskView[]> => {
    const response = await door.app.request(`/alltasks${query}`)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    return jsonOf<TaskView[]>(response)
  }

  it('GET /tasks gives every task once, newest first, over pages of the asked size', async () => {
    for (let n = 0; n < 23; n += 1) await door.submit('echo', n)
    const seen: TaskView[] = []
    let cursor: string | null = ''
    let pages = 0
    while (cursor !== null) {
      const { tasks, next }: Page = await page(`?limit=5${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      assert.ok(tasks.length <= 5)
      seen.push(...tasks)
      cursor = next
      pages += 1
    }
    assert.equal(pages, 5)
    assert.equal(new Set(seen.map(task => task.id)).size, 23)
    const times = seen.map(task => task.createdAt)
    assert.deepEqual(times, times.toSorted().reverse())
    assert.deepEqual(await all(''), seen)
  })

  it('GET /tasks links to its first and its next page, with the same filter and size', async () => {
    for (let n = 0; n < 5; n += 1) await door.submit('echo', n)
    const linksOf = async (path: string) => {
      const response = await door.app.request(path)
      const links = [...(response.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)]
      return Object.fromEntries(links.map(([, address = '', rel = '']) => [rel, address]))
    }
    const first = '/tasks?limit=2&kind=echo'
    const pages: string[] = []
    for (let next: string | undefined = first; next !== undefined; ) {
      pages.push(next)
      const links: Record<string, string> = await linksOf(next)
      assert.equal(links.first, first, next)
      next = links.next
    }
    assert.equal(pages.length, 3)
    assert.ok(
      pages.slice(1).every(page => /^\/tasks\?limit=2&kind=echo&cursor=[^&]+$/.test(page)),
      pages.join(' '),
    )
  })

  it('both lists are sorted by the beginning or the end of the tasks, either way, over pages and their links', async () => {
    const waiting = await door.submit('echo', 'waits')
    const first = await door.ended('one')
    await door.run((await door.submit('echo', 'two')).id)
    const late = await door.submit('calcpi', { digits: 3 })
    await door.service.cancel(anybody(), late.id)
    await door.service.cancel(anybody(), waiting.id)
    const ids = (tasks: readonly TaskView[]): string[] => tasks.map(({ id }) => id)
    const found: Record<string, string[]> = {}
    for (const sort of ['createdAt', '-createdAt', 'finishedAt', '-finishedAt']) {
      const whole = ids(await all(`?sort=${sort}`))
      const paged: string[] = []
      for (let next: string | undefined = `/tasks?limit=1&sort=${sort}`; next !== undefined; ) {
        const response: Response = await door.app.request(next)
        paged.push(...ids((await jsonOf<Page>(response)).tasks))
        next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1]
      }
      assert.deepEqual(paged, whole, sort)
      found[sort] = whole
    }
    assert.deepEqual(found['-createdAt'], ids(await all('')))
    assert.deepEqual(found['-createdAt'], found.createdAt?.toReversed())
    assert.deepEqual(found['-finishedAt'], found.finishedAt?.toReversed())
    assert.deepEqual(found.finishedAt?.toSorted(), [waiting.id, first.id, late.id].toSorted())
    const ends = (await all('?sort=finishedAt')).map(({ finishedAt }) => finishedAt)
    assert.deepEqual(ends, ends.toSorted())
    assert.deepEqual(ids(await all('?sort=-finishedAt&kind=calcpi')), [late.id])
    const { next } = await page('?limit=1&sort=-finishedAt')
    const response = await door.app.request(`/tasks?cursor=${next}`)
    assert.equal(response.status, 400)
    assert.equal((await jsonOf<{ code: string }>(response)).code, 'BAD_CURSOR')
  })

  it('both lists take the same filters', async () => {
    const ended = await door.ended('done')
    const pi = await door.submit('calcpi', { digits: 3 }, { title: 'A Round Number' })
    const plain = await door.submit('echo', 1)
    const cases: [string, string[]][] = [
      ['?status=SUCCESS', [ended.id]],
      ['?status=success', [ended.id]],
      ['?status=SUCCESS,PENDING', [ended.id, pi.id, plain.id]],
      ['?status=SUCCESS&status=FAILURE', [ended.id]],
      ['?kind=calcpi', [pi.id]],
      ['?kind=calcpi,echo&status=PENDING', [pi.id, plain.id]],
      ['?q=round%20n', [pi.id]],
      [`?q=${plain.id.slice(-12)}`, [plain.id]],
      ['?owner=nobody', []],
      [`?parent=${plain.id}`, []],
      ['?from=2000-01-01', [ended.id, pi.id, plain.id]],
      ['?to=2000-01-01T00:00:00Z', []],
      ['?from=2000-01-01T00:00:00+02:00&status=REVOKED', []],
      ['?status=&q=', [ended.id, pi.id, plain.id]],
    ]
    for (const [query, ids] of cases) {
      const expected = ids.toSorted()
      assert.deepEqual((await page(query)).tasks.map(task => task.id).sort(), expected, query)
      assert.deepEqual((await all(query)).map(task => task.id).sort(), expected, query)
    }
  })

  it('the children of a task are found by its id', async () => {
    const [parent, other] = [await door.submit('echo', 1), await door.submit('echo', 2)]
    const { id } = await door.service.submitChild(parent, { kind: 'echo', params: 3 }, null)
    for (const query of [parent.id, parent.id.toUpperCase()])
      assert.deepEqual(
        (await page(`?parent=${query}`)).tasks.map(task => task.id),
        [id],
      )
    assert.deepEqual(await all(`?parent=${other.id}`), [])
  })

  it('what a query may not say is 400 and names the parameter', async () => {
    const cases: [string, string][] = [
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=-1', 'limit'],
      ['limit=1e2', 'limit'],
      ['limit=5&limit=6', 'limit'],
      ['status=DONE', 'status'],
      ['status=SUCCESS,DONE', 'status'],
      ['from=yesterday', 'from'],
      ['from=2026-02-30', 'from'],
      ['to=2026-01-31T12:00:00', 'to'],
      ['to=9999-12-31T23:59:59-14:00', 'to'],
      [`q=${'x'.repeat(201)}`, 'q'],
      ['limt=5', 'limt'],
      ['sort=title', 'sort'],
      ['sort=-createdat', 'sort'],
      ['parentId=1', 'parentId'],
      ['parent=1', 'parent'],
      ['__proto__=1', '__proto__'],
    ]
    for (const [query, name] of cases) {
      const response = await door.app.request(`/tasks?${query}`)
      assert.equal(response.status, 400, query)
      const problem = await jsonOf<{ detail: string; problems: { path: string }[] }>(response)
      assert.equal(problem.problems[0]?.path, name)
      assert.ok(problem.detail.includes(name))
    }
    assert.equal((await door.app.request('/tasks?cursor=zzz')).status, 400)
    for (const query of ['limit=5', 'cursor=x', 'x=1'])
      assert.equal((await door.app.request(`/alltasks?${query}`)).status, 400, query)
  })

  it('a result over 256 characters of JSON is cut to a preview in both lists, never in the task itself', async () => {
    const short = await door.ended('x'.repeat(254))
    const long = await door.ended('x'.repeat(255))
    const object = await door.ended({ list: Array.from({ length: 200 }, (_, n) => n) })
    const blob = await door.ended(null, { name: 'result.txt', bytes: Buffer.alloc(100_000, 'y') })
    for (const list of [(await page('')).tasks, await all('')]) {
      const of = (id: string) => list.find(task => task.id === id)
      assert.deepEqual([of(short.id)?.result, of(short.id)?.resultTruncated], ['x'.repeat(254), false])
      assert.deepEqual([of(long.id)?.result, of(long.id)?.resultTruncated], ['x'.repeat(255), true])
      const preview = of(object.id)?.result
      assert.ok(typeof preview === 'string' && preview.startsWith('{"list":[0,1,') && preview.length === 256)
      assert.deepEqual([of(blob.id)?.result, of(blob.id)?.resultTruncated], [null, true])
    }
    const whole = await jsonOf(await door.app.request(`/task/${object.id}`))
    assert.deepEqual(whole.result, object.result)
    assert.equal('resultTruncated' in whole, false)
  })

  it('params over 256 characters of JSON are cut to a preview in both lists, never in the task itself', async () => {
    const text = 'p'.repeat(300_000)
    const [short, long, object] = [
      await door.submit('echo', 'x'.repeat(254)),
      await door.submit('echo', text),
      await door.submit('echo', { text, n: 1 }),
    ]
    for (const list of [(await page('')).tasks, await all('')]) {
      const of = (id: string) => list.find(task => task.id === id)
      assert.deepEqual([of(short.id)?.params, of(short.id)?.paramsTruncated], ['x'.repeat(254), false])
      assert.deepEqual([of(long.id)?.params, of(long.id)?.paramsTruncated], [text.slice(0, 256), true])
      const preview = of(object.id)?.params
      assert.ok(typeof preview === 'string' && preview.startsWith('{"text":"ppp') && preview.length === 256)
      assert.ok(JSON.stringify(of(long.id)).length < 2_000)
    }
    const whole = await jsonOf(await door.app.request(`/task/${object.id}`))
    assert.deepEqual([whole.params, 'paramsTruncated' in whole], [{ text, n: 1 }, false])
  })

  it('finds what failed by its code, its words and its end, for a list and for a bulk action', async () => {
    const before = new Date(Date.now() - 1).toISOString()
    const failedWith = async (code: string, message: string) => {
      const { id } = await door.submit('echo', 1)
      const task = await door.store.claim(id, start('w', new Date().toISOString()))
      assert.ok(task)
      const error = { code, message, detail: null }
      await door.store.move(id, task.claim, fail(error, null, new Date().toISOString()))
      return id
    }
    const away = await failedWith('KIND_FAILED', 'No answer from db-7')
    const late = await failedWith('TIME_LIMIT', 'It ran too long')
    for (const [query, found] of [
      ['errorCode=TIME_LIMIT', [late]],
      ['errorCode=TIME_LIMIT,KIND_FAILED&kind=echo', [late, away]],
      ['errorCode=EXPIRED', []],
      ['error=ANSWER+from+db-7', [away]],
      [`errorLike=${encodeURIComponent('No answer from db-…')}`, [away]],
      ['errorLike=No+answer', []],
      [`errorCode=KIND_FAILED&finishedFrom=${before}`, [away]],
      [`errorCode=KIND_FAILED&finishedTo=${before}`, []],
    ] as const) {
      assert.deepEqual(
        (await page(`?${query}`)).tasks.map(task => task.id),
        found,
        query,
      )
      assert.deepEqual(
        (await all(`?${query}`)).map(task => task.id),
        found,
        query,
      )
      const dry = await door.app.request(`/tasks/retry?dryRun=1&${query}`, { method: 'POST' })
      assert.equal((await jsonOf(dry)).matched, found.length, query)
    }
    const retried = await door.app.request('/tasks/retry?error=db-7', { method: 'POST' })
    assert.equal((await jsonOf(retried)).done, 1)
    assert.deepEqual((await door.store.get(away))?.status, 'PENDING')
  })

  it('a preview is at most 256 characters and never half a character', async () => {
    const task = await door.submit('echo', 1)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), text => {
        const { result, resultTruncated } = viewTask({ ...task, result: text })
        assert.ok(typeof result === 'string' && text.startsWith(result))
        assert.equal(resultTruncated, JSON.stringify(text).length > 256)
        if (!resultTruncated) assert.equal(result, text)
        else
          assert.ok(
            result.length <= 256 && result.isWellFormed() === text.slice(0, result.length).isWellFormed(),
          )
        if (text.isWellFormed()) assert.ok(result.isWellFormed())
      }),
    )
  })

  it('tells no attempts: they are in the task itself', async () => {
    const task = await door.submit('echo', 1)
    const { id } = task
    await door.store.claim(id, start('w', task.createdAt))
    await door.store.move(id, 1, succeed(1, null, task.createdAt))
    const [listed] = await all(`?q=${id}`)
    assert.deepEqual([listed?.id, listed && 'attempts' in listed], [id, false])
    const whole = await jsonOf<TaskRecord>(await door.app.request(`/task/${id}`))
    assert.deepEqual(
      whole.attempts?.map(({ attempt, outcome }) => [attempt, outcome]),
      [[1, 'SUCCESS']],
    )
  })

  it('the empty list is an empty array', async () => {
    assert.deepEqual(await all(''), [])
    assert.deepEqual(await page(''), { tasks: [], next: null })
  })

  it('a store that fails before the first byte of /alltasks is a 503, not half an array', async () => {
    const failing = createFixture({
      service: {
        list: async () => {
          throw new MadhavaError('STORE_UNAVAILABLE')
        },
      },
    })
    const response = await failing.app.request('/alltasks')
    assert.equal(response.status, 503)
    assert.equal(response.headers.get('retry-after'), '1')
    assert.equal((await jsonOf(response)).code, 'STORE_UNAVAILABLE')
    await failing.close()
  })

  it('a client that stops reading /alltasks stops the reading of the store', async () => {
    for (let n = 0; n < 500; n += 1) await door.submit('echo', 'x'.repeat(1000))
    let pages = 0
    const counting = createFixture({
      service: {
        list: (actor, filter, want) => {
          pages += 1
          return door.service.list(actor, filter, want)
        },
      },
    })
    const response = await counting.app.request('/alltasks')
    const reader = response.body?.getReader()
    await reader?.read()
    assert.equal(pages, 1)
    await reader?.cancel()
    assert.equal(pages, 1)
    await counting.close()
  })
})

describe('the query parser', () => {
  const NAMES = [
    'limit',
    'cursor',
    'sort',
    'status',
    'kind',
    'owner',
    'parent',
    'q',
    'from',
    'to',
    'errorCode',
    'error',
    'errorLike',
    'finishedFrom',
    'finishedTo',
    'x',
    '__proto__',
    'constructor',
  ]
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(...STATUSES, '1', '200', '2026-01-31', '2026-01-31T12:00:00.5+02:00'),
    fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
  )

  it('gives bounded, well-formed values or refuses with BAD_REQUEST, whatever is sent', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 6 }), pairs => {
        const url = `http://localhost/tasks?${new URLSearchParams(pairs)}`
        try {
          const { filter, limit, cursor } = parsePage(url)
          assert.ok(Number.isInteger(limit) && limit >= 1 && limit <= 200)
          assert.ok(cursor === null || cursor.length <= 1024)
          for (const status of filter.statuses ?? []) assert.ok(STATUSES.includes(status))
          for (const time of [filter.from, filter.to, filter.finishedFrom, filter.finishedTo])
            if (time !== undefined) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
          assert.ok(!pairs.some(([name]) => ['x', '__proto__', 'constructor'].includes(name)))
        } catch (error) {
          assert.ok(isMadhavaError(error, 'BAD_REQUEST'), String(error))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('takes what is given empty for left out, and nothing that stands beside it', () => {
    const filterOf = (query: string) => parseFilter(`http://localhost/alltasks?${query}`)
    assert.deepEqual(filterOf('status=&kind=&q='), {})
    for (const query of ['status=&status=SUCCESS', 'status=SUCCESS&status=', 'status=SUCCESS&kind=&from='])
      assert.deepEqual(filterOf(query), { statuses: ['SUCCESS'] }, query)
    assert.deepEqual(filterOf('status=SUCCESS&status=&status=RETRY'), { statuses: ['SUCCESS', 'RETRY'] })
  })

  it('gives back the times and texts that were asked for', () => {
    const day = fc.date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true })
    fc.assert(
      fc.property(day, fc.string({ minLength: 1, maxLength: 200 }), (from, q) => {
        const filter = parseFilter(
          `http://localhost/alltasks?${new URLSearchParams({ from: from.toISOString(), q })}`,
        )
        assert.deepEqual(filter, { from: from.toISOString(), text: q.toWellFormed() })
      }),
    )
  })
})
