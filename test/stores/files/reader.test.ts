// A reader in another language, which knows nothing but docs/state-files.md, reads while a store writes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { giveBack, report, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { taskSchema } from '../../../src/core/task.ts'
import { FINDINGS } from '../../../src/stores/files/tools/fsck-findings.ts'
import { add, at, take } from '../../suites/store/world.ts'
import { soon } from '../../support/soon.ts'
import { openPlace } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

const PYTHON = '/usr/bin/python3'
const fileAt = (place: string): string => fileURLToPath(new URL(`../../../${place}`, import.meta.url))
const READER = fileAt('test/support/state_reader.py')
const LANES = 8
const MOVES = 280

const missing = (): string | false => {
  if (existsSync(PYTHON)) return false
  const reason = 'python3 is not installed'
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(reason)
  console.error(`SKIPPED: ${reason}`)
  return reason
}

/** One task after another through its whole life: claims, reports that grow and shrink, given back, ended, removed. */
const live = async (store: TaskStore): Promise<number> => {
  let moves = 0
  while (moves < MOVES) {
    const { id } = await add(store)
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { claim } = await take(store, id)
      for (let n = 0; n < 20; n += 1) {
        const length = (n * 7919) % 9000
        const progress = { percent: n, note: String(length), etaSeconds: null }
        await store.move(id, claim, report(progress, 'x'.repeat(length), at(2)))
      }
      await store.move(id, claim, attempt < 3 ? giveBack(at(3)) : succeed('x', null, at(3)))
      moves += 22
    }
    if (moves % 4 === 0) await store.remove(id)
  }
  return moves
}

interface Seen {
  reads: number
  changes: number
  tasks: number
  faults: string[]
}

/** A folder with one task, a store on it, and the reader at work. */
const openReader = async () => {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'madhava-reader-'))
  const store = await openPlace({ adapter: 'files', dir })
  const first = await add(store)
  const reader = spawn(PYTHON, [READER, dir], { stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  reader.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const ended = new Promise<number | null>(resolve => reader.on('close', code => resolve(code)))
  await until('the reader reads', () => output.includes('\n'))
  return {
    dir,
    store,
    first,
    told: (word: string) => until(`the reader tells of ${word}`, () => output.includes(word)),
    async finish(): Promise<Seen> {
      reader.stdin.end()
      assert.equal(await soon(ended, 'the end of the reader'), 0)
      return JSON.parse(output.trim().split('\n').at(-1) ?? '')
    },
    async close() {
      reader.kill('SIGKILL')
      await ended
      await store.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
const skip = missing()
const timeout = 300_000

it('a reader in Python never sees a torn or a backward record while a store writes thousands of moves', {
  skip,
  timeout,
}, async () => {
  const reading = await openReader()
  try {
    const moves = await Promise.all(Array.from({ length: LANES }, () => live(reading.store)))
    const seen = await reading.finish()
    assert.deepEqual(seen.faults, [])
    assert.ok(moves.reduce((sum, count) => sum + count, 0) >= LANES * MOVES)
    assert.ok(seen.tasks > LANES, `${seen.tasks} tasks seen`)
    assert.ok(seen.changes > 100, `${seen.changes} changes seen in ${seen.reads} reads`)
  } finally {
    await reading.close()
  }
})

it('that reader tells of a record that goes back and of one that is torn', { skip, timeout }, async () => {
  const reading = await openReader()
  try {
    const { dir, store, first } = reading
    const { claim } = await take(store, first.id)
    await store.move(first.id, claim, succeed('x', null, at(2)))
    const file = path.join(dir, 'tasks', first.id.slice(-2), `${first.id}.json`)
    // the reader has seen the end once it reads a second task that came after it
    const later = path.join(dir, 'tasks', '00', '00000000-0000-4000-8000-000000000000.json')
    await mkdir(path.dirname(later), { recursive: true })
    await writeFile(later, '{"id":')
    await reading.told('torn')
    await writeFile(`${file}.new`, JSON.stringify(first))
    await rename(`${file}.new`, file)
    await reading.told('backward')
    assert.equal((await reading.finish()).faults.length > 1, true)
  } finally {
    await reading.close()
  }
})

const document = () => readFile(fileAt('docs/state-files.md'), 'utf8')

it('the document describes every field of the record, and its example is one', async () => {
  const text = await document()
  const rows = [...text.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| \w/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  )
  const fields = Object.keys(taskSchema.shape)
  assert.deepEqual(
    fields.filter(field => !rows.includes(field)),
    [],
  )
  const [example, more] = [...text.matchAll(/```json\n([^`]*)```/g)].map(([, json = '']) => JSON.parse(json))
  // no worker died of the example, no quota counts it, its kind makes no files, and people do not do it
  const shown = fields.filter(field => !['workersLost', 'submittedBy', 'artifacts', 'doneBy'].includes(field))
  assert.deepEqual(Object.keys(taskSchema.parse(example)).toSorted(), shown.toSorted())
  assert.equal(taskSchema.parse({ ...example, ...more }).artifacts?.[0]?.file, 'artifact.1.1')
})

it('the document has a row for each finding of the check', async () => {
  const codes = [...(await document()).matchAll(/^\| (`[a-z]+-?[a-z]+`(?:, `[a-z-]+`)*) \|/gm)].flatMap(
    ([, names = '']) => names.replaceAll('`', '').split(', '),
  )
  assert.deepEqual(
    FINDINGS.filter(code => !codes.includes(code)),
    [],
  )
})

it('the document shows the reader that this test runs', async () => {
  const code = await readFile(READER, 'utf8')
  const reader = code.slice(code.indexOf('import json'), code.indexOf('# --- end of the reader')).trim()
  assert.ok(reader.includes('def read_task'))
  assert.ok((await document()).includes(`\`\`\`python\n${reader}\n\`\`\``))
})
