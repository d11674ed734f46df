// Export and import: what comes out goes in, whole; what is hostile stays outside.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, promises as fs, openSync, readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { AuditEntry } from '../../../src/core/audit.ts'
import { succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { newTaskId, RECORD_DEPTH_LIMIT } from '../../../src/core/task.ts'
import { exportFolder } from '../../../src/stores/files/tools/export.ts'
import { checkFolder } from '../../../src/stores/files/tools/fsck.ts'
import { importFolder } from '../../../src/stores/files/tools/import.ts'
import type { ImportSummary } from '../../../src/stores/shared/import.ts'
import { auditOf } from '../../suites/audit.ts'
import { add, addEnded, at, details, keyed, newTask, read, refused, take } from '../../suites/store/world.ts'
import { entryOf } from '../../support/audit-entries.ts'
import { accountOf, fillDocuments } from '../../support/sample-documents.ts'
import { openPlace } from '../../support/store-place.ts'
import { runTool } from '../../support/tool.ts'
import { bytesOf, fill, LARGE } from '../../support/transfer-sample.ts'
import { fillUploads, uploadBytesOf, useOf } from '../../support/upload-sample.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 60)
const clock = () => new Date(Date.UTC(2026, 5, 1))

interface World {
  /** A new, empty place; its parent holds nothing else, so that a file outside shows. */
  folder(): Promise<string>
  open(dir: string): Promise<TaskStore>
}

const promise = (title: string, body: (world: World) => Promise<void>) =>
  it(title, { timeout: 300_000 }, async () => {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-transfer-'))
    const stores: TaskStore[] = []
    let count = 0
    try {
      await body({
        async folder() {
          count += 1
          const dir = path.join(root, String(count), 'data')
          await fs.mkdir(path.dirname(dir))
          return dir
        },
        async open(dir) {
          const store = await openPlace({ adapter: 'files', dir })
          stores.push(store)
          return store
        },
      })
    } finally {
      await Promise.all(stores.map(store => store.close()))
      await fs.rm(root, { recursive: true, force: true })
    }
  })

const exported = async (dir: string): Promise<string[]> => {
  const onLeftOut = (place: string, why: string) => assert.fail(`left out ${place}: ${why}`)
  const lines: string[] = []
  for await (const line of exportFolder({ dir, clock, onLeftOut })) lines.push(line)
  return lines
}

const bring = async (
  dir: string,
  input: string | Buffer | string[],
  replace = false,
  accounts = true,
): Promise<ImportSummary & { why: string[] }> => {
  const why: string[] = []
  const whole = Buffer.from(Array.isArray(input) ? input.join('') : input)
  /** In pieces that end anywhere. */
  const pieces = async function* () {
    for (let from = 0; from < whole.length; from += 70_001) yield whole.subarray(from, from + 70_001)
  }
  const onRefused = (_id: string, reason: string) => why.push(reason)
  return { ...(await importFolder({ dir, input: pieces(), clock, replace, accounts, onRefused })), why }
}

const outside = (dir: string): string[] => readdirSync(path.dirname(dir))

describe('export and import', () => {
  promise('every status and every blob goes out of a store in use and into an empty folder', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const source = await world.open(from)
    const { resting, running, success, pending, progress, asked } = await fill(source)
    const accounts = await fillDocuments(source.documents)
    const files = await fillUploads(source, pending.id)
    const lines = await exported(from)
    assert.ok(lines.every(line => line.length < 1.5 * 1024 * 1024))
    const { sha256, ...end } = JSON.parse(lines.at(-1) ?? '')
    assert.deepEqual(end, { type: 'end', tasks: 9, blobs: 4, documents: 5, audit: 0, uploads: 2 })
    assert.equal(sha256, createHash('sha256').update(lines.slice(0, -1).join('')).digest('hex'))
    const { problem, created, givenBack, blobs, accounts: made, refused: none } = await bring(to, lines)
    assert.deepEqual([problem, created, givenBack, blobs, made, none], [null, 9, 3, 4, 2, 0])

    const target = await world.open(to)
    for (const { name, rev: _, ...said } of accounts) {
      const there = await target.documents.get('accounts', name)
      assert.deepEqual(there && { ...there, rev: 0 }, { name, ...said, rev: 0 })
    }
    assert.deepEqual(await uploadBytesOf(target, files.whole), files.large)
    assert.deepEqual(await uploadBytesOf(target, files.empty), Buffer.of())
    for (const id of [files.whole, files.empty]) {
      const there = await target.documents.get('uploads', id)
      assert.deepEqual({ ...there, rev: 0 }, { ...(await source.documents.get('uploads', id)), rev: 0 })
    }
    assert.ok(await target.documents.get('upload-uses', useOf(files.whole, pending.id)))
    // half of an upload goes nowhere, and neither do its uses
    assert.equal((await target.uploads.list({ limit: 9, cursor: null })).uploads.length, 2)
    assert.equal((await target.documents.list('uploads', { limit: 9, cursor: null })).documents.length, 2)
    assert.equal((await target.documents.list('upload-uses', { limit: 9, cursor: null })).documents.length, 1)
    // what signs stays where it is
    assert.equal(await target.documents.get('secrets', 'session-key'), null)
    assert.ok(!lines.join('').includes(Buffer.alloc(32, 7).toString('base64url')))
    for (const task of resting) assert.deepEqual(await target.get(task.id), task)
    for (const { id, claim, rev, attempt } of running) {
      const task = await read(target, id)
      assert.equal(task.status, id === asked.id ? 'REVOKED' : 'PENDING')
      assert.ok(task.claim === claim + 1 && task.rev > rev)
      if (id !== asked.id) assert.equal(task.attempt, attempt - 1, 'the attempt does not count')
    }
    assert.deepEqual(await bytesOf(target, success.id, 'result.txt'), LARGE)
    assert.deepEqual(await bytesOf(target, success.id, 'mib'), LARGE.subarray(0, 2 * 1024 * 1024))
    assert.equal((await bytesOf(target, success.id, 'empty')).length, 0)
    assert.deepEqual(
      await bytesOf(target, progress.id, 'checkpoint.bin'),
      await bytesOf(source, progress.id, 'checkpoint.bin'),
    )
    // the key means the same as before, and what was given back runs again
    const repeat = await target.create(...keyed('a key', 'a print', { owner: 'me' }))
    assert.deepEqual([repeat.created, repeat.task.id], [false, pending.id])
    await refused(
      () => target.create(...keyed('a key', 'another print', { owner: 'me' })),
      'IDEMPOTENCY_MISMATCH',
    )
    assert.equal((await take(target, progress.id)).attempt, progress.attempt)
    await target.close()
    const onFinding = (finding: unknown) => assert.fail(JSON.stringify(finding))
    await checkFolder({ dir: to, clock, repair: true, onFinding })
  })

  promise('an import that is repeated changes nothing', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    await fill(await world.open(from))
    const lines = await exported(from)
    await bring(to, lines)
    const once = await exported(to)
    for (const replace of [false, true]) {
      const again = await bring(to, lines, replace)
      assert.deepEqual([again.problem, again.unchanged, again.created, again.replaced], [null, 9, 0, 0])
      assert.deepEqual(await exported(to), once)
    }
  })

  promise('a task that is there stays, unless it is older and replacing was asked for', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const [source, target] = [await world.open(from), await world.open(to)]
    const { id } = await add(source)
    const first = await exported(from)
    const { claim } = await take(source, id)
    await source.putBlob(id, 'log.txt', Buffer.from('said'))
    await source.move(id, claim, succeed('done', null, at(4)))
    const second = await exported(from)
    await target.close()

    await bring(to, first)
    const kept = await bring(to, second)
    assert.deepEqual([kept.problem, kept.left, kept.blobs], [null, 1, 0])
    const replaced = await bring(to, second, true)
    assert.deepEqual([replaced.problem, replaced.replaced, replaced.blobs], [null, 1, 1])
    const back = await bring(to, first, true)
    assert.deepEqual([back.problem, back.left], [null, 1])
    const after = await world.open(to)
    const task = await read(after, id)
    assert.deepEqual([task.status, task.result], ['SUCCESS', 'done'])
    assert.equal(String(await bytesOf(after, id, 'log.txt')), 'said')
  })

  promise('a task whose key belongs to another one is refused, the others come', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const [source, target] = [await world.open(from), await world.open(to)]
    await source.create(...keyed('one', 'f'))
    await add(source)
    const { task: mine } = await target.create(...keyed('one', 'f'))
    await target.close()
    const { problem, created, refused: count, why } = await bring(to, await exported(from))
    assert.deepEqual([problem, created, count], [null, 1, 1])
    assert.match(why[0] ?? '', new RegExp(`belongs to the task ${mine.id}`))
  })

  promise('a key of a record of a later version stays with it', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const [source, target] = [await world.open(from), await world.open(to)]
    await source.create(...keyed('one', 'f'))
    const { task: later } = await target.create(...keyed('one', 'f'))
    await target.close()
    const file = path.join(to, 'tasks', later.id.slice(-2), `${later.id}.json`)
    await fs.writeFile(file, JSON.stringify({ ...later, version: 2, novelty: true }))
    const { created, refused: count, why } = await bring(to, await exported(from))
    assert.deepEqual([created, count], [0, 1])
    assert.match(why[0] ?? '', new RegExp(`belongs to the task ${later.id}`))
    // as the later version finds it again
    await fs.writeFile(file, JSON.stringify(later))
    const { created: anew, task } = await (await world.open(to)).create(...keyed('one', 'f'))
    assert.deepEqual([anew, task.id], [false, later.id])
  })

  promise('a record that nests deeper than a record may is refused, the others come', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const source = await world.open(from)
    const { id } = await addEnded(source)
    await add(source)
    let deep: unknown = 1
    for (let level = 0; level < RECORD_DEPTH_LIMIT + 5; level += 1) deep = [deep]
    const lines = (await exported(from)).map(text => {
      const line = JSON.parse(text)
      // of the lines as they were
      if (line.type === 'end') delete line.sha256
      if (line.record?.id === id) line.record.result = deep
      return `${JSON.stringify(line)}\n`
    })
    const { problem, created, refused: count, why } = await bring(to, lines)
    assert.deepEqual([problem, created, count], [null, 1, 1])
    assert.match(why[0] ?? '', /nests deeper or is larger/)
  })

  promise('a key that names nothing does not lead an import to another id', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const [source, target] = [await world.open(from), await world.open(to)]
    const { task } = await source.create(...keyed('one', 'f'))
    await target.create(...keyed('one', 'f'))
    await target.close()
    for (const shard of readdirSync(path.join(to, 'tasks')))
      await fs.rm(path.join(to, 'tasks', shard), { recursive: true })
    assert.equal((await bring(to, await exported(from))).created, 1)
    const after = await world.open(to)
    assert.deepEqual(await after.get(task.id), task)
    assert.equal((await after.counts()).total, 1)
  })

  promise(
    'a broken state file is left out of an export and reported; an import restores the task and keeps the broken file',
    async world => {
      const dir = await world.folder()
      const store = await world.open(dir)
      const [{ id }, whole] = [await addEnded(store), await addEnded(store)]
      const good = await exported(dir)
      const file = path.join(dir, 'tasks', id.slice(-2), `${id}.json`)
      await fs.writeFile(file, 'half')
      const leftOut: string[] = []
      const onLeftOut = (place: string) => leftOut.push(place)
      const lines: string[] = []
      for await (const line of exportFolder({ dir, clock, onLeftOut })) lines.push(line)
      assert.deepEqual(leftOut, [path.relative(dir, file)])
      assert.equal(lines.length, 3)
      await store.close()
      const { refused: count, unchanged, created } = await bring(dir, good)
      assert.deepEqual([count, unchanged, created], [0, 1, 1])
      assert.equal(await fs.readFile(path.join(dir, 'broken', `${id}.json`), 'utf8'), 'half')
      const opened = await world.open(dir)
      assert.equal((await opened.get(id))?.status, 'SUCCESS')
      assert.deepEqual(await opened.get(whole.id), whole)
    },
  )

  promise('an export that is cut off anywhere says so, and leaves no end without its result', async world => {
    const from = await world.folder()
    const source = await world.open(from)
    const { id } = await add(source)
    const { claim } = await take(source, id)
    await source.putBlob(id, 'log.txt', Buffer.from('log'))
    await source.putBlob(id, 'result.txt', LARGE)
    await source.move(id, claim, succeed(null, LARGE.length, at(6)))
    const lines = await exported(from)
    const whole = Buffer.from(lines.join(''))
    const ends = lines.map((_, n) => lines.slice(0, n).join('').length)
    const cuts = [0, 1, ...ends, ...ends.map(end => end + 30), whole.length - 2].filter(
      cut => cut < whole.length - 1,
    )
    for (const cut of new Set(cuts)) {
      const to = await world.folder()
      const { problem, created } = await bring(to, whole.subarray(0, cut))
      assert.ok(problem, `cut at ${cut} of ${whole.length}`)
      const target = await world.open(to)
      assert.deepEqual([created, (await target.counts()).total], [0, 0], `cut at ${cut}`)
      await target.close()
      const again = await bring(to, whole)
      assert.deepEqual([again.problem, again.created], [null, 1])
      const after = await world.open(to)
      assert.deepEqual(await bytesOf(after, id, 'result.txt'), LARGE)
      await after.close()
    }
  })

  promise('a bad line is reported with its number, and has no effect', async world => {
    const from = await world.folder()
    const source = await world.open(from)
    const task = await addEnded(source)
    await source.putBlob(task.id, 'log.txt', Buffer.from('0123456789'))
    const [header = '', first = '', blob = '', end = ''] = await exported(from)
    const change = (line: string, changes: object): string =>
      `${JSON.stringify({ ...JSON.parse(line), ...changes })}\n`
    const viewer = { name: 'viewer', rev: 5, ...accountOf('viewer') }
    const account = `${JSON.stringify({ type: 'document', collection: 'accounts', document: viewer })}\n`
    const withTask = (changes: object): string => change(first, { record: { ...task, ...changes } })
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const cases: [lines: string[], problem: RegExp][] = [
      [[first, end], /^Line 1: .*header/],
      [[change(header, { version: 5 })], /^Line 1: version: must be one of 1, 2, 3, 4/],
      [[header, withTask({ id: '../../../etc/passwd' }), blob, end], /^Line 2: record/],
      [[header, withTask({ id: task.id.toUpperCase() }), blob, end], /^Line 2: record/],
      [[header, withTask({ claim: Number.MAX_SAFE_INTEGER }), blob, end], /^Line 2: .*2\^40/],
      [[header, withTask({ version: 9 }), blob, end], /^Line 2: record.version/],
      [[header, change(first, { fingerprint: '../../x' }), blob, end], /^Line 2: fingerprint/],
      [
        [header, first.replace('"params":{"a":1}', `"params":${deep}`), blob, end],
        /^Line 2: it nests too deep/,
      ],
      [[header, first, change(blob, { name: '../log.txt' }), end], /^Line 3: name/],
      [[header, first, change(blob, { id: newTaskId() }), end], /^Line 3: a blob stands behind/],
      [[header, first, change(blob, { offset: 1 }), end], /^Line 3: .*does not go on/],
      [[header, first, change(blob, { size: 9 }), end], /^Line 3: .*another size/],
      [[header, first, change(blob, { size: 11 }), end], /^Line 4: .*cut off/],
      [[header, first, change(blob, { bytes: '*' }), end], /^Line 3: bytes: must be base64/],
      [[header, first, blob, blob, end], /^Line 4: .*twice/],
      [[header, blob, first, end], /^Line 2: .*does not belong/],
      [
        [header, first, blob, change(end, { tasks: 2 })],
        /^Line 4: 1 tasks, 1 blobs, 0 documents, 0 uploads and 0 lines of the audit came/,
      ],
      [[header, account, first, blob, change(end, { documents: 2 })], /^Line 5: .* 1 documents, .* came/],
      [[header, first, account, blob, end], /^Line 4: .*does not belong/],
      [[header, change(account, { collection: '../tasks' }), end], /^Line 2: collection/],
      [[header, change(account, { document: { ...viewer, name: '../x' } }), end], /^Line 2: document.name/],
      [[header, change(account, { document: { ...viewer, rev: 1.5 } }), end], /^Line 2: document.rev/],
      [[header, change(account, { document: { ...viewer, data: [] } }), end], /^Line 2: document.data/],
      [[header, first, blob, end, header], /^Line 5: something stands behind/],
      [[header, `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}\n`], /^line 2 has more than/],
      [[header, '\u0000\n'], /^Line 2: it is not JSON/],
      [[], /nothing/],
    ]
    for (const [lines, expected] of cases) {
      const to = await world.folder()
      const { problem, refused: count } = await bring(to, lines)
      assert.match(problem ?? 'no problem', expected)
      assert.equal(count, 0)
      assert.deepEqual(outside(to), ['data'])
    }
  })

  promise('a document goes in where it may, and is refused by itself where it may not', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const source = await world.open(from)
    const accounts = await fillDocuments(source.documents)
    const [header = '', ...rest] = await exported(from)
    const end = rest.pop() ?? ''
    const bringSome = (lines: string[], replace = false) =>
      bring(
        to,
        [
          header,
          ...lines,
          `${JSON.stringify({ ...JSON.parse(end), documents: lines.length, sha256: undefined })}\n`,
        ],
        replace,
      )
    const operator = JSON.parse(rest.find(line => line.includes('"operator"')) ?? '')
    const line = (change: object, document: object = {}): string =>
      `${JSON.stringify({ ...operator, ...change, document: { ...operator.document, ...document } })}\n`

    const bad = await bringSome([
      line({ collection: 'secrets' }, { name: 'session-key' }),
      line({ collection: 'of-a-later-program' }),
      line({}, { version: 7 }),
      line({}, { data: { ...operator.document.data, role: 'emperor' } }),
      line({}, { name: 'good' }),
    ])
    assert.deepEqual([bad.problem, bad.refused, bad.accounts], [null, 4, 1])
    for (const [n, words] of [/no such collection/, /no such collection/, /has version 7/, /role/].entries())
      assert.match(bad.why[n] ?? '', words)

    const unasked = await bring(to, [header, ...rest, end], true, false)
    assert.deepEqual([unasked.problem, unasked.accounts, unasked.accountsPassedOver], [null, 0, 2])
    assert.equal((await bringSome([line({})])).accounts, 1)
    const [repeat, newer] = [await bringSome([line({})]), accountOf('operator', 'YW5vdGhlciBzYWx0')]
    assert.deepEqual([repeat.accounts, repeat.accountsLeft], [0, 0])
    const mine = await world.open(to)
    const changed = await mine.documents.put('accounts', 'operator', newer, 'any')
    await mine.close()
    for (const replace of [false, true]) {
      const left = await bringSome([line({})], replace)
      assert.deepEqual([left.accounts, left.accountsLeft], [0, 1], 'what is there is newer')
    }
    const later = { rev: changed.rev + 1 }
    assert.equal((await bringSome([line({}, later)])).accountsLeft, 1)
    assert.equal((await bringSome([line({}, later)], true)).accounts, 1)
    const again = await world.open(to)
    assert.deepEqual((await again.documents.get('accounts', 'operator'))?.data, accounts[0]?.data)
  })

  promise('the audit goes along, each line once however often it is imported', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const source = await world.open(from)
    const lines = Array.from({ length: 50 }, (_, n) => entryOf({ at: at(n * 10_000) }))
    await source.audit.add(lines)
    await source.close()
    const target = await world.open(to)
    const own = entryOf({ at: at(250_000) })
    await target.audit.add([lines[7] as AuditEntry, own])
    await target.close()
    const export_ = await exported(from)
    for (const count of [49, 0]) {
      const summary = await bring(to, export_)
      assert.deepEqual([summary.problem, summary.audit], [null, count])
    }
    const there = await world.open(to)
    assert.deepEqual(
      (await auditOf(there)).map(({ id }) => id).sort(),
      [...lines, own].map(({ id }) => id).sort(),
    )
    const wrong = export_.map(line => line.replace('"task.submit"', '"task.steal"'))
    await there.close()
    assert.match((await bring(to, wrong)).problem ?? '', /action/)
  })

  promise('rubbish never crashes an import and never reaches anything outside the folder', async world => {
    const record = newTask()
    const header = JSON.stringify({ type: 'madhava-export', version: 1, at: at(0) })
    const odd = fc.oneof(
      fc.constantFrom(
        '../../x',
        '/etc/passwd',
        '',
        '.',
        '..',
        'result.txt',
        record.id,
        '__proto__',
        'a\u0000b',
      ),
      fc.string(),
      fc.jsonValue(),
    )
    const near = fc.oneof(
      fc.record({ type: fc.constant('task'), record: fc.record({}), fingerprint: odd }),
      fc.tuple(fc.constantFrom(...Object.keys(record)), odd).map(([field, value]) => ({
        type: 'task',
        record: { ...record, [field]: value },
        fingerprint: null,
      })),
      fc.record({
        type: fc.constant('blob'),
        id: fc.oneof(fc.constant(record.id), odd),
        name: fc.oneof(fc.constant('log.txt'), odd),
        size: fc.oneof(fc.nat(9), odd),
        offset: fc.oneof(fc.constant(0), odd),
        bytes: fc.oneof(fc.base64String({ maxLength: 12 }), odd),
      }),
      fc.record({ type: fc.constant('end'), tasks: fc.nat(3), blobs: fc.nat(3) }),
      odd,
    )
    const line = fc.oneof(
      near.map(value => Buffer.from(JSON.stringify(value))),
      fc.uint8Array().map(Buffer.from),
    )
    const to = await world.folder()
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(line, { maxLength: 6 }),
        fc.boolean(),
        async (hasHeader, lines, replace) => {
          const all = hasHeader ? [Buffer.from(header), ...lines] : lines
          const input = Buffer.concat(all.flatMap(bytes => [bytes, Buffer.from('\n')]))
          const {
            problem,
            created,
            unchanged,
            left,
            replaced,
            refused: count,
          } = await bring(to, input, replace)
          const ended = lines.some(bytes => bytes.includes('"end"'))
          if (problem === null) assert.ok(hasHeader && ended)
          assert.ok(created + unchanged + left + replaced + count <= lines.length)
          assert.deepEqual(outside(to), ['data'])
        },
      ),
      { numRuns: RUNS },
    )
    const target = await world.open(to)
    await target.check()
    await target.close()
    const codes: string[] = []
    await checkFolder({
      dir: to,
      clock,
      repair: false,
      settleMs: 1,
      onFinding: ({ code }) => codes.push(code),
    })
    assert.deepEqual(
      codes.filter(code => code !== 'result-missing' && code !== 'result-size'),
      [],
    )
  })

  promise('an import needs the folder to itself', async world => {
    const dir = await world.folder()
    const store = await world.open(dir)
    await add(store)
    await store.announce({ role: 'worker', details })
    const lines = await exported(dir)
    await refused(() => bring(dir, lines), 'DATA_DIR_IN_USE')
  })

  promise('the commands move a folder, and their exit codes tell how it went', async world => {
    const [from, to] = [await world.folder(), await world.folder()]
    const file = path.join(path.dirname(from), 'all.ndjson')
    const { resting } = await fill(await world.open(from))
    const run = (name: 'export' | 'import', dir: string, stdio: { input?: string; output?: string } = {}) => {
      const open = [
        stdio.input === undefined ? null : openSync(stdio.input, 'r'),
        stdio.output === undefined ? null : openSync(stdio.output, 'w'),
      ] as const
      const done = runTool(name, ['--data-dir', dir], {
        stdio: [open[0] ?? 'ignore', open[1] ?? 'pipe', 'pipe'],
      })
      for (const fd of open) if (fd !== null) closeSync(fd)
      return done
    }
    assert.equal(run('export', from, { output: file }).status, 0)
    const done = run('import', to, { input: file })
    assert.deepEqual([done.status, done.stderr], [0, ''])
    assert.match(done.stdout, /^9 created, .* 3 givenBack, 4 blobs, 0 accounts,/)
    const target = await world.open(to)
    for (const task of resting) assert.deepEqual(await target.get(task.id), task)
    await target.close()
    await fs.truncate(file, (await fs.stat(file)).size - 5)
    const cut = run('import', to, { input: file })
    assert.equal(cut.status, 1)
    assert.match(cut.stderr, /not whole/)
    assert.equal(run('export', path.join(to, 'none')).status, 2)
  })
})
