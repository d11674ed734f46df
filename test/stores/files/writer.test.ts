// The writer, here and in a thread: the same answers, each error with its code, and nothing left behind.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createDisk } from '../../../src/stores/files/disk.ts'
import { startThreadedWriter } from '../../../src/stores/files/log/threaded-writer.ts'
import { createWriter, type Draft, type Writer } from '../../../src/stores/files/log/writer.ts'
import { undo } from '../../support/undo.ts'

const OUTER = { timeout: 300_000 }

const ways: Record<string, (written: Draft[]) => Writer> = {
  'on the spot': () => createWriter(createDisk()),
  'in a thread': written =>
    startThreadedWriter({
      onWrite: draft => written.push(draft),
      onLost: error => {
        throw error
      },
    }),
}

for (const [way, open] of Object.entries(ways))
  describe(`a writer ${way}`, () => {
    const setUp = (t: TestContext) => {
      const dir = mkdtempSync(path.join(tmpdir(), 'madhava-writer-'))
      const written: Draft[] = []
      const writer = open(written)
      undo(t, async () => {
        await writer.close()
        rmSync(dir, { recursive: true, force: true })
      })
      const draft = (name: string, text: string, over: Partial<Draft> = {}): Draft => ({
        tmpFile: path.join(dir, `.${name}.tmp`),
        file: path.join(dir, name),
        text,
        once: false,
        release: null,
        ...over,
      })
      return { dir, writer, draft, written }
    }
    const codeOf = (outcome: unknown): unknown =>
      outcome instanceof Error ? (outcome as NodeJS.ErrnoException).code : outcome

    it('writes tmpFile, shows, lets a claim go, and keeps a name that is taken', OUTER, async t => {
      const { dir, writer, draft } = setUp(t)
      const claim = path.join(dir, 'claim')
      writeFileSync(claim, '')
      const first = [draft('a', 'one', { release: claim }), draft('b', 'β', { once: true })]
      assert.deepEqual(await writer.write(first), [null, null])
      assert.deepEqual(readdirSync(dir).toSorted(), ['.a.tmp', '.b.tmp', 'claim'])
      assert.deepEqual(await writer.show(first), [true, true])
      assert.deepEqual(readdirSync(dir).toSorted(), ['a', 'b'])
      const second = [draft('a', 'two', { release: claim }), draft('b', 'γ', { once: true })]
      await writer.write(second)
      assert.deepEqual(await writer.show(second), [true, false])
      assert.deepEqual(readdirSync(dir).toSorted(), ['a', 'b'])
      const texts = ['a', 'b'].map(name => readFileSync(path.join(dir, name), 'utf8'))
      assert.deepEqual(texts, ['two', 'β'])
      const third = [draft('c', 'three')]
      await writer.write(third)
      await writer.discard(third)
      assert.deepEqual(readdirSync(dir).toSorted(), ['a', 'b'])
    })

    it('says with its code what went wrong with one, and does the others', OUTER, async t => {
      const { dir, writer, draft } = setUp(t)
      const nowhere = { tmpFile: path.join(dir, 'no', 'aside'), file: path.join(dir, 'no', 'file') }
      const drafts = [draft('a', 'one'), draft('', 'two', nowhere), draft('c', 'three')]
      assert.deepEqual((await writer.write(drafts)).map(codeOf), [null, 'ENOENT', null])
      assert.deepEqual((await writer.show(drafts)).map(codeOf), [true, 'ENOENT', true])
      assert.deepEqual(readdirSync(dir).toSorted(), ['a', 'c'])
      const take = { claim: path.join(dir, 'no', 'claim'), target: 'me', file: '', cancelRequest: '' }
      await assert.rejects(writer.take(take), { code: 'ENOENT' })
    })

    it('takes a claim once, and tells what stood there then', OUTER, async t => {
      const { dir, writer } = setUp(t)
      const file = path.join(dir, 'file')
      const cancelRequest = path.join(dir, 'cancel-request')
      writeFileSync(file, 'π')
      const take = (name: string, over: object = {}) =>
        writer.take({ claim: path.join(dir, name), target: 'me', file, cancelRequest, ...over })
      const [one, again, other] = await Promise.all([take('1'), take('1'), take('2')])
      assert.deepEqual(one, { taken: true, text: 'π', mayHaveRequest: false })
      assert.deepEqual(again, { taken: false })
      assert.deepEqual(other, one)
      assert.equal(readlinkSync(path.join(dir, '1')), 'me')
      writeFileSync(cancelRequest, '')
      assert.deepEqual(await take('3', { file: dir }), { taken: true, text: null, mayHaveRequest: true })
      assert.deepEqual(await take('4', { file: path.join(dir, 'none') }), {
        taken: true,
        text: null,
        mayHaveRequest: true,
      })
    })

    if (way === 'in a thread')
      it('takes a claim before what is left of an order', OUTER, async t => {
        const { dir, writer, draft } = setUp(t)
        const drafts = Array.from({ length: 2_000 }, (_, n) => draft(`${n}`, 'text'))
        const order: string[] = []
        const note = (what: string) => () => void order.push(what)
        const take = { claim: path.join(dir, 'claim'), target: 'me', file: '', cancelRequest: '' }
        await Promise.all([writer.write(drafts).then(note('written')), writer.take(take).then(note('taken'))])
        assert.deepEqual(order, ['taken', 'written'])
      })

    it(
      'leaves nobody without an answer at its end: not who has asked, and not who asks too late',
      OUTER,
      async t => {
        const { dir, writer, draft } = setUp(t)
        const drafts = [draft('a', 'one')]
        const take = { claim: path.join(dir, 'claim'), target: 'me', file: '', cancelRequest: '' }
        const askAll = () => [
          writer.take(take),
          writer.write(drafts),
          writer.show(drafts),
          writer.discard(drafts),
        ]
        const asked = askAll()
        await writer.close()
        const late = await Promise.allSettled(askAll())
        await Promise.allSettled(asked)
        const expected = way === 'in a thread' ? 'rejected' : 'fulfilled'
        assert.deepEqual(
          late.map(({ status }) => status),
          late.map(() => expected),
        )
        await writer.close()
      },
    )

    it('writes more at once than a thread may hold', OUTER, async t => {
      const { writer, draft, written, dir } = setUp(t)
      const text = 'ä'.repeat(3 * 1024 * 1024)
      const drafts = Array.from({ length: 48 }, (_, n) => draft(`${n}`, text))
      assert.deepEqual(
        await writer.write(drafts),
        drafts.map(() => null),
      )
      assert.deepEqual(
        await writer.show(drafts),
        drafts.map(() => true),
      )
      assert.equal(readFileSync(path.join(dir, '47'), 'utf8'), text)
      if (way === 'in a thread') assert.equal(written.length, 48)
    })
  })
