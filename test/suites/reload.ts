// What a reload of the kinds promises over a real store, with processes that are killed and frozen on the way.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Child, startChild } from '../support/child.ts'
import type { ReloadInput, ReloadLine } from '../support/reload-child.ts'
import type { StorePlace } from '../support/store-place.ts'
import { undo } from '../support/undo.ts'

export interface ReloadSuiteOptions {
  skip?: string | false
  /** A place of its own for each call; taken away when the test ends. */
  place(t: TestContext): Promise<StorePlace>
}

type Process = Child<ReloadLine>

const has =
  <K extends string>(key: K) =>
  (line: ReloadLine): boolean =>
    key in line

export const reloadSuite = (name: string, { skip = false, place: newPlace }: ReloadSuiteOptions): void => {
  describe(`a reload of the kinds over ${name}`, { skip, timeout: 600_000 }, () => {
    const open = async (t: TestContext) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'madhava-reload-'))
      undo(t, () => rm(folder, { recursive: true, force: true }))
      const place = await newPlace(t)
      const write = (file: string, code: string) => writeFile(path.join(folder, file), code)
      await write('a', '1')
      await write('b', '1')
      const start = async (role: string, { own = folder, waitMs = 60_000 } = {}): Promise<Process> => {
        const input: ReloadInput = { place, role, folder: own, waitMs }
        const child = startChild<ReloadLine>('reload-child.ts', input)
        undo(t, () => child.kill())
        await child.line(has('ready'))
        return child
      }
      return { start, write }
    }
    const outcomeOf = async (child: Process): Promise<ReloadLine> => {
      const line = await child.line(one => 'outcome' in one || 'refused' in one)
      // the next one is another
      child.lines.length = 0
      return line
    }
    const ask = (child: Process): Promise<ReloadLine> => {
      child.send('reload')
      return outcomeOf(child)
    }
    const usedBy = async (child: Process): Promise<Record<string, string>> => {
      const line = await child.line(has('used'))
      return 'used' in line ? line.codes : {}
    }

    it('is used by every process, or by none where one file is broken', async t => {
      const { start, write } = await open(t)
      const api = await start('api')
      const worker = await start('worker')
      await write('a', '2')
      assert.deepEqual(await ask(api), { outcome: { changed: ['a'], roles: ['api', 'worker'] } })
      assert.deepEqual(await usedBy(worker), { a: '2', b: '1' })
      worker.lines.length = 0
      await write('a', '3')
      await write('b', '!no good')
      assert.deepEqual(await ask(worker), { refused: 'KINDS_NOT_LOADED', problems: ['b.ts: no good'] })
      assert.equal([...api.lines, ...worker.lines].some(has('used')), false)
      await write('b', '2')
      assert.deepEqual(await ask(worker), { outcome: { changed: ['a', 'b'], roles: ['api', 'worker'] } })
    })

    it('does not wait for a process that is killed while it reads', async t => {
      const { start, write } = await open(t)
      const api = await start('api')
      const worker = await start('worker')
      await write('a', 'wait')
      api.send('reload')
      await worker.line(has('reading'))
      await worker.kill()
      await write('a', '2')
      assert.deepEqual(await outcomeOf(api), { outcome: { changed: ['a'], roles: ['api'] } })
    })

    it('is over when whoever asked is killed before the decision, and the next one is asked for', async t => {
      const { start, write } = await open(t)
      const api = await start('api')
      const worker = await start('worker')
      await write('a', 'wait')
      api.send('reload')
      await Promise.all([api, worker].map(one => one.line(has('reading'))))
      await api.kill()
      await write('a', '2')
      let last: ReloadLine
      do last = await ask(worker)
      while (
        // the store may take a moment to say that it is dead
        'refused' in last &&
        last.refused === 'KINDS_RELOADING'
      )
      assert.deepEqual(last, { outcome: { changed: ['a'], roles: ['worker'] } })
    })

    it('is dropped when a process does not answer in time, which goes on with the old ones', async t => {
      const { start, write } = await open(t)
      const api = await start('api', { waitMs: 3_000 })
      const worker = await start('worker')
      const folder = await mkdtemp(path.join(os.tmpdir(), 'madhava-reload-'))
      undo(t, () => rm(folder, { recursive: true, force: true }))
      await writeFile(path.join(folder, 'c'), '1')
      const slow = await start('rpc', { own: folder })
      await writeFile(path.join(folder, 'c'), 'wait')
      await write('a', '2')
      const refused = await ask(api)
      assert.ok('refused' in refused && refused.refused === 'KINDS_NOT_LOADED')
      assert.match(refused.problems.join(), /^rpc: process \d+ on .* has not answered within 3 s$/)
      await writeFile(path.join(folder, 'c'), '1')
      await slow.kill()
      assert.equal([...api.lines, ...worker.lines, ...slow.lines].some(has('used')), false)
      // what was dropped hinders nothing
      let last: ReloadLine
      do last = await ask(worker)
      while ('refused' in last)
      assert.deepEqual(last, { outcome: { changed: ['a'], roles: ['api', 'worker'] } })
    })
  })
}
