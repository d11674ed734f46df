// Logs in pages and followed live: every line once, over cuts of the file; colours as data; filters.
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { followLog } from '../../../src/dashboard/logs/follow.ts'
import { LINE_BYTES, matches, type PlacedLine, readLine } from '../../../src/dashboard/logs/lines.ts'
import { liveLines } from '../../../src/dashboard/logs/live.ts'
import { readLogPage } from '../../../src/dashboard/logs/pages.ts'
import { boundLogs } from '../../../src/platform/log-files.ts'
import { until } from '../../support/until.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS } from '../fixture.ts'

const lineOf = (text: string) => readLine(Buffer.from(text))

describe('a line of a log', () => {
  it('has its colours as data, whose texts make up the line', () => {
    const line = lineOf(
      'a\u001b[31mred\u001b[1mbold\u001b[0m \u001b[38;5;200mpink\u001b[38;2;1;2;255mrgb\u001b[39m!',
    )
    assert.equal(line.text, 'aredbold pinkrgb!')
    assert.deepEqual(line.spans, [
      { text: 'a' },
      { text: 'red', fg: 1 },
      { text: 'bold', fg: 1, bold: true },
      { text: ' ' },
      { text: 'pink', fg: 200 },
      { text: 'rgb', fg: '#0102ff' },
      { text: '!' },
    ])
    assert.equal(lineOf('plain').spans, undefined)
  })

  it('has level, time and message of our own lines, and none of others', () => {
    const own = lineOf('{"level":"warn","time":"2030-01-01T00:00:00.000Z","message":"oh <b>\\u0007"}')
    assert.deepEqual([own.level, own.time, own.message], ['warn', '2030-01-01T00:00:00.000Z', 'oh <b>␇'])
    for (const text of ['{"level":"loud","time":"never"}', '{', 'warn', '{"level":3}', '[1]'])
      assert.deepEqual([lineOf(text).level, lineOf(text).time], [null, null], text)
  })

  it('matches by text in any case and by level, and counts as an error on the log of errors', () => {
    const [warn, plain] = [lineOf('{"level":"warn","message":"Hello"}'), lineOf('Error: boom')]
    assert.equal(matches(warn, { search: 'hELLO' }, false), true)
    assert.equal(matches(warn, { search: 'hello', level: 'error' }, false), false)
    assert.equal(matches(warn, { level: 'info' }, false), true)
    assert.equal(matches(plain, { level: 'error' }, false), false)
    assert.equal(matches(plain, { level: 'error' }, true), true)
    assert.equal(matches(plain, { level: 'fatal' }, true), false)
  })

  it('hides nothing and stays bounded, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        const { text, spans } = readLine(Buffer.from(bytes))
        assert.doesNotMatch(text, /(?!\t)[\p{Cc}\u202e]/u)
        if (spans) assert.equal(spans.map(span => span.text).join(''), text)
      }),
    )
    const long = readLine(Buffer.alloc(100_000, 'x'))
    assert.deepEqual([long.text.length, long.cut], [LINE_BYTES, true])
    const slow = readLine(Buffer.from('\u001b[1mx'.repeat(800)))
    assert.deepEqual([slow.spans, slow.text], [undefined, 'x'.repeat(800)])
  })
})

describe('a log', { timeout: 300_000 }, () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'madhava-log-'))
    file = path.join(folder, 'api.out.log')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const settle = () => utimes(file, new Date(0), new Date(0))
  /** Every page from the end on, oldest first. */
  const allPages = async (limit: number, search?: string): Promise<PlacedLine[]> => {
    const lines: PlacedLine[] = []
    let before: string | undefined
    for (;;) {
      const page = await readLogPage(file, { limit, before, search }, false)
      lines.unshift(...page.lines)
      if (page.before === null) return lines
      before = page.before
    }
  }

  it('is paged backwards with every line once, whatever the sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.integer({ min: 0, max: 300_000 }).map(size => size % (size % 5 === 0 ? 70_000 : 40)),
          {
            minLength: 1,
            maxLength: 60,
          },
        ),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (sizes, limit, ends) => {
          const texts = sizes.map((size, index) => `${index} ${'x'.repeat(size)}`)
          await writeFile(file, texts.join('\n') + (ends ? '\n' : ''))
          await settle()
          const seen = await allPages(limit)
          assert.deepEqual(
            seen.map(({ text }) => text),
            texts.map(text => text.slice(0, LINE_BYTES)),
          )
          assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('is searched in bounded steps, and goes on into the part that was kept aside', async () => {
    const filler = `${'y'.repeat(99)}\n`
    await writeFile(file, `needle one\n${filler.repeat(60_000)}needle two\n`)
    const first = await readLogPage(file, { limit: 10, search: 'NEEDLE' }, false)
    assert.deepEqual(
      first.lines.map(({ text }) => text),
      ['needle two'],
    )
    assert.notEqual(first.before, null, 'it stopped within its bounds')
    assert.deepEqual(
      (await allPages(10, 'needle')).map(({ text }) => text),
      ['needle one', 'needle two'],
    )
    await boundLogs(folder, 1_000)
    await appendFile(file, 'needle three\n')
    assert.deepEqual(
      (await allPages(10, 'needle')).map(({ text }) => text),
      ['needle two', 'needle three'],
    )
    await assert.rejects(readLogPage(file, { limit: 1, before: first.before ?? '' }, false), error =>
      isMadhavaError(error, 'CURSOR_TOO_OLD'),
    )
    for (const before of ['', 'x', 'n0', 'n0-', 'n0-1e3', 'p0-1', `n0-${'9'.repeat(16)}`])
      await assert.rejects(
        readLogPage(file, { limit: 1, before }, false),
        error => isMadhavaError(error, 'BAD_CURSOR'),
        before,
      )
  })

  it('is empty when there is none', async () => {
    const none = { lines: [], before: null, after: null, bytes: null }
    assert.deepEqual(await readLogPage(null, { limit: 1 }, false), none)
    assert.deepEqual(await readLogPage(file, { limit: 1 }, false), none)
    assert.deepEqual(await readLogPage(folder, { limit: 1 }, false), none)
  })

  it('is followed from where a page ended, resumed without a lost or doubled line, and over a cut', async () => {
    await writeFile(file, 'one\ntwo\nhal')
    const page = await readLogPage(file, { limit: 10 }, false)
    assert.deepEqual(
      page.lines.map(({ text }) => text),
      ['one', 'two'],
    )
    const ended = new AbortController()
    const from = (after: string | null) =>
      followLog(file, { after: after ?? undefined, signal: ended.signal, everyMs: 5 })
    const next = async (lines: ReturnType<typeof from>) => {
      const step = await lines.next()
      assert.ok(!step.done)
      return { ...step.value, lines: step.value.lines.map(String) }
    }
    const first = from(page.after)
    await appendFile(file, 'f\nthree\n')
    const seen = await next(first)
    assert.deepEqual([seen.lines, seen.gap], [['half', 'three'], false])
    // as another dashboard would go on
    await appendFile(file, 'four\n')
    assert.deepEqual((await next(from(seen.after))).lines, ['four'])
    assert.deepEqual((await next(first)).lines, ['four'])
    await writeFile(file, '')
    const waiting = next(first)
    await new Promise(resolve => setTimeout(resolve, 50))
    await appendFile(file, 'anew\n')
    const anew = await waiting
    assert.deepEqual([anew.lines, anew.gap], [['anew'], true])
    // a place from before the cut: what is there, and that there is a gap
    const late = await next(from(seen.after))
    assert.deepEqual([late.lines, late.gap], [['anew'], true])
    await assert.rejects(next(from('nonsense')), error => isMadhavaError(error, 'BAD_CURSOR'))
    ended.abort()
    assert.equal((await first.next()).done, true)
  })

  it('is given as lines to show, of the level that is looked for, to whoever follows it', async () => {
    await writeFile(file, '')
    const processes = noProcesses({ logFile: async () => file })
    const ended = new AbortController()
    const live = liveLines(processes, { name: 'api', stream: 'out', level: 'warn', signal: ended.signal })
    const first = live.next()
    await until('it looks at the end', async () => {
      await appendFile(file, '{"level":"info"}\n{"level":"error","message":"no"}\n')
      return (await Promise.race([first, new Promise(resolve => setTimeout(resolve, 400, null))])) !== null
    })
    const step = await first
    assert.ok(!step.done)
    assert.ok(step.value.lines.length > 0)
    assert.deepEqual(new Set(step.value.lines.map(({ level }) => level)), new Set(['error']))
    ended.abort()
    assert.equal((await live.next()).done, true)
    const none = liveLines(noProcesses(), {
      name: 'api',
      stream: 'out',
      signal: new AbortController().signal,
    })
    assert.equal((await none.next()).done, true)
  })

  it('is served to everybody who may look, as pages and as a download, and nothing beside it is', async () => {
    await writeFile(`${file}.1`, 'older\n')
    await writeFile(file, '{"level":"error","message":"<script>"}\nplain\n')
    await settle()
    const door = await createDashboardFixture({
      processes: noProcesses({
        logFile: async name => {
          if (name !== 'api') throw new MadhavaError('NOT_FOUND')
          return file
        },
      }),
    })
    try {
      const viewer = basic('viewer', PASSWORDS.viewer)
      const answer = await door.get('/logs/api/out.json?level=warn&limit=5', viewer)
      const page = (await answer.json()) as { lines: PlacedLine[]; name: string }
      assert.deepEqual([page.name, page.lines.map(({ message }) => message)], ['api', ['<script>']])
      assert.doesNotMatch(JSON.stringify(page), new RegExp(folder))
      const saved = await door.get('/logs/api/out.log', viewer)
      assert.equal(saved.headers.get('content-disposition'), 'attachment; filename="api.out.log"')
      assert.equal(saved.headers.get('x-content-type-options'), 'nosniff')
      assert.equal(await saved.text(), 'older\n{"level":"error","message":"<script>"}\nplain\n')
      for (const query of [
        'limit=0',
        'limit=1001',
        'limit=x',
        'level=loud',
        'search=',
        'other=1',
        'instance=-1',
      ])
        assert.equal((await door.get(`/logs/api/out.json?${query}`, viewer)).status, 400, query)
      for (const where of [
        '/logs/nobody/out.json',
        '/logs/api/in.json',
        '/logs/api/out.txt',
        '/logs/..%2f/out.log',
      ])
        assert.equal((await door.get(where, viewer)).status, 404, where)
      assert.equal((await door.get('/logs/api/out.json')).status, 401)
    } finally {
      await door.close()
    }
  })
})
