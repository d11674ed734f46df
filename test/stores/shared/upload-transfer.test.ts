// Uploads and artifacts in an export: nothing that came in half, or with other bytes, counts here.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { artifactFile, listArtifact } from '../../../src/core/artifacts.ts'
import { succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { exportStore } from '../../../src/stores/shared/export.ts'
import { importAll } from '../../../src/stores/shared/import.ts'
import { add, at, take } from '../../suites/store/world.ts'
import { allUploads } from '../../suites/upload-bytes.ts'
import { undo } from '../../support/undo.ts'
import {
  addUpload,
  fillUploads,
  openUpload,
  USE,
  uploadBytesOf,
  useOf,
  wholeUpload,
} from '../../support/upload-sample.ts'

const clock = () => new Date(at(500))
interface Line {
  type: string
  [key: string]: unknown
}

const setUp = (test: TestContext): [TaskStore, TaskStore] => {
  const stores: [TaskStore, TaskStore] = [createMemoryStore({ clock }), createMemoryStore({ clock })]
  undo(test, () => Promise.all(stores.map(store => store.close())))
  return stores
}
const linesOf = async (store: TaskStore): Promise<Line[]> => {
  const lines: Line[] = []
  const options = { clock, fingerprintOf: async () => null, onLeftOut: assert.fail }
  for await (const line of exportStore(store, options)) lines.push(JSON.parse(line))
  return lines
}
/** Sealed anew: what is wrong must be found without the hash of all lines. */
const bring = async (store: TaskStore, lines: readonly Line[], replace = false) => {
  const refused: string[] = []
  const summary = await importAll(store, {
    input: (async function* () {
      for (const { sha256, ...line } of lines)
        yield Buffer.from(`${JSON.stringify(line.type === 'end' ? line : { ...line, sha256 })}\n`)
    })(),
    replace,
    clock,
    onRefused: (place, why) => refused.push(`${place}: ${why}`),
    refusal: () => null,
  })
  return { ...summary, refusals: refused }
}
const nothingOf = async ({ documents, uploads }: TaskStore): Promise<void> => {
  assert.deepEqual(await allUploads(uploads), [])
  for (const collection of ['uploads', 'upload-uses'] as const)
    assert.deepEqual((await documents.list(collection, { limit: 9, cursor: null })).documents, [])
}
const ofUpload = (line: Line, id: string): boolean =>
  (line.type === 'upload' && line.id === id) ||
  (line.type === 'document' && (line.document as { name: string }).name.startsWith(id))

describe('uploads in an export', () => {
  it('stand before the tasks, each with its bytes and its uses behind it, and those that come meanwhile after them', async test => {
    const [from] = setUp(test)
    const { id } = await add(from)
    const { whole, open, going } = await fillUploads(from, id)
    let late = ''
    const lines: Line[] = []
    const options = { clock, fingerprintOf: async () => null, onLeftOut: assert.fail }
    for await (const text of exportStore(from, options)) {
      const line = JSON.parse(text) as Line
      lines.push(line)
      if (line.type !== 'task') continue
      late = await addUpload(from, Buffer.from('late'))
      await from.documents.put('upload-uses', useOf(late, id), USE, null)
      await from.documents.put('upload-uses', useOf(whole, late), USE, null)
    }
    const own = lines.filter(line => ofUpload(line, whole))
    assert.deepEqual(
      own.map(({ type, collection }) => collection ?? type),
      ['uploads', 'upload', 'upload', 'upload', 'upload-uses', 'upload-uses'],
    )
    const task = lines.findIndex(({ type }) => type === 'task')
    const first = own.slice(0, -1).map(line => lines.indexOf(line))
    assert.deepEqual(
      first,
      first.map((_, n) => (first[0] ?? 0) + n),
    )
    assert.ok(Math.max(...first) < task)
    const after = lines.slice(task)
    assert.ok(after.some(line => ofUpload(line, late)) && after.includes(own.at(-1) as Line))
    for (const half of [open, going]) assert.ok(!lines.some(line => ofUpload(line, half)))
  })

  it('are taken in without accounts, and again without harm', async test => {
    const [from, to] = setUp(test)
    const { id } = await add(from)
    const { whole, empty, large } = await fillUploads(from, id)
    const lines = await linesOf(from)
    for (const [n, replace] of [false, false, true].entries()) {
      const { problem, refusals, uploads, uploadsLeft } = await bring(to, lines, replace)
      assert.deepEqual([problem, refusals, uploads, uploadsLeft], [null, [], n === 0 ? 2 : 0, 0])
    }
    assert.deepEqual([await uploadBytesOf(to, whole), await uploadBytesOf(to, empty)], [large, Buffer.of()])
    // the task comes later than its use: that is as young as the import
    assert.equal((await to.documents.get('upload-uses', useOf(whole, id)))?.data.createdAt, at(500))
    // bytes that were lost here come again
    await to.uploads.write(whole, 0, (await from.uploads.read(empty))?.stream ?? assert.fail())
    assert.equal((await bring(to, lines)).uploads, 1)
    assert.deepEqual(await uploadBytesOf(to, whole), large)
  })

  it('with other bytes end the import, which names them and keeps nothing of them', async test => {
    const [from, to] = setUp(test)
    const { id } = await add(from)
    const upload = await addUpload(from, Buffer.from('these bytes'))
    await from.documents.put('upload-uses', useOf(upload, id), USE, null)
    const lines = await linesOf(from)
    const change = (fits: (line: Line) => boolean, made: (line: Line) => Line | null): Line[] =>
      lines.flatMap(line => (fits(line) ? (made(line) ?? []) : line))
    const isPiece = ({ type }: Line) => type === 'upload'
    const isDocument = ({ collection }: Line) => collection === 'uploads'
    const withData = (data: object) => (line: Line) => {
      const document = line.document as { data: object }
      return { ...line, document: { ...document, data: { ...document.data, ...data } } }
    }
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    const wrong: [string, Line[], RegExp][] = [
      ['bytes', change(isPiece, line => ({ ...line, bytes: base64('those bytes') })), /has other bytes/],
      ['hash', change(isDocument, withData({ sha256: 'a'.repeat(64) })), /has other bytes/],
      ['size', change(isDocument, withData({ bytes: 10 })), /has other bytes/],
      ['none', change(isPiece, () => null), /the bytes of the upload .* are missing/],
      ['fewer', change(isPiece, line => ({ ...line, bytes: base64('these') })), /is cut off/],
      ['more', change(isPiece, line => ({ ...line, size: 3 })), /has another size than it says/],
      ['a gap', change(isPiece, line => ({ ...line, offset: 1 })), /does not go on where it stopped/],
      ['the end of the file', lines.slice(0, lines.findIndex(isPiece)), /cut off/],
      [
        'twice',
        change(isPiece, line => line).flatMap(line => (isPiece(line) ? [line, line] : line)),
        /belong/,
      ],
    ]
    for (const [what, spoiled, words] of wrong) {
      const { problem } = await bring(to, spoiled)
      assert.match(problem ?? '', words, what)
      if (what === 'twice') continue
      if (!/cut off$/.test(problem ?? '')) assert.ok(problem?.includes(upload), what)
      await nothingOf(to)
    }
  })

  it('that cannot be taken in are refused by themselves', async test => {
    const [from, to] = setUp(test)
    const bytes = Buffer.from('bytes')
    const [going, held, other, odd] = [
      await addUpload(from, bytes),
      await addUpload(from, bytes),
      await addUpload(from, bytes),
      await addUpload(from, bytes),
    ]
    await to.documents.put('uploads', going, openUpload({ state: 'going' }), null)
    await to.documents.put('uploads', held, openUpload({ holder: 'somebody' }), null)
    const there = await to.documents.put('uploads', other, wholeUpload(Buffer.from('others')), null)
    await to.uploads.write(other, 0, (await from.uploads.read(other))?.stream ?? assert.fail())
    await to.uploads.write(
      other,
      5,
      (await from.uploads.read(other, { start: 4, end: 5 }))?.stream ?? assert.fail(),
    )
    const lines = (await linesOf(from)).map(line =>
      ofUpload(line, odd) && line.type === 'document'
        ? { ...line, document: { ...(line.document as object), data: { state: 'odd' } } }
        : line,
    )
    const { problem, refusals, uploads, uploadsLeft, refused } = await bring(to, lines)
    assert.deepEqual([problem, uploads, uploadsLeft, refused, refusals.length], [null, 0, 1, 3, 3])
    assert.deepEqual(await to.documents.get('uploads', other), there)
    assert.equal(await to.uploads.size(odd), null)
  })

  it('that an import which was killed has left half are taken in by the next one', async test => {
    const [from, to] = setUp(test)
    const upload = await addUpload(from, Buffer.from('these bytes'))
    await to.documents.put('uploads', upload, openUpload(), null)
    await to.uploads.write(
      upload,
      0,
      (await from.uploads.read(upload, { start: 2, end: 9 }))?.stream ?? assert.fail(),
    )
    assert.equal((await bring(to, await linesOf(from))).uploads, 1)
    assert.equal((await uploadBytesOf(to, upload))?.toString(), 'these bytes')
    assert.equal((await to.documents.get('uploads', upload))?.data.state, 'whole')
  })
})

describe('artifacts in an export', () => {
  it('come with their size and hash, or the task does not', async test => {
    const [from] = setUp(test)
    const bytes = Buffer.from('a file that a task has made')
    const task = await take(from, (await add(from)).id)
    const file = artifactFile(task.claim, 1)
    await from.putBlob(task.id, file, bytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const artifact = { name: 'a.txt', bytes: bytes.length, type: 'text/plain', sha256, file }
    await from.move(task.id, task.claim, listArtifact(artifact, at(3)))
    await from.move(task.id, task.claim, succeed(1, null, at(4)))
    const lines = await linesOf(from)
    const bringInto = async (changed: Line[]) => {
      const to = createMemoryStore({ clock })
      undo(test, () => to.close())
      const { problem } = await bring(to, changed)
      return { problem, there: await to.get(task.id), blobs: await to.listBlobs(task.id) }
    }
    const whole = await bringInto(lines)
    assert.deepEqual(
      [whole.problem, whole.there?.artifacts, whole.blobs],
      [null, [artifact], [{ name: file, bytes: bytes.length }]],
    )
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    const other = base64('a file that a task has MADE')
    const wrong: [Line[], RegExp][] = [
      [lines.filter(({ type }) => type !== 'blob'), /a\.txt did not come/],
      [
        lines.map(line => (line.type === 'blob' ? { ...line, bytes: other } : line)),
        /a\.txt has other bytes/,
      ],
      [
        lines.map(line => (line.type === 'blob' ? { ...line, bytes: base64('short'), size: 5 } : line)),
        /a\.txt has other bytes/,
      ],
    ]
    for (const [changed, words] of wrong) {
      const { problem, there, blobs } = await bringInto(changed)
      assert.match(problem ?? '', words)
      assert.ok(problem?.includes(task.id))
      assert.deepEqual([there, blobs], [null, []])
    }
  })
})
