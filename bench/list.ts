// How long a folder of many tasks takes to be listed, first and warm, by one process and by four at once, and what
// the index weighs. It knows the store by its port alone.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { median, quantile, show, table } from './figures.ts'
import type { Answer, Ask } from './list-reader.ts'
import { type Peer, startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { fillFolder } from './sample-folder.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    tasks: { type: 'string', default: '10000,100000' },
    processes: { type: 'string', default: '4' },
    times: { type: 'string', default: '50' },
    claims: { type: 'string', default: '200' },
  },
})
const processes = Number(options.processes)
const times = Number(options.times)
const claims = Number(options.claims)

type Reader = Peer<Ask, Answer>
const mb = (bytes: number): string => show(bytes / 1_000_000)
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

const firstRows = [
  [
    'tasks',
    'processes at once',
    'opening + first page, s (slowest)',
    'grown by, each, MB',
    'in all, MB',
    'peak, each, MB',
  ],
]
/** Opens the folder in so many processes at once; the first of them is handed back, for more questions. */
const openAll = async (dir: string, tasks: number, many: number, title: string): Promise<Reader> => {
  const readers = await Promise.all(
    Array.from({ length: many }, () => startPeer<Ask, Answer>('list-reader.ts', dir)),
  )
  const answers = await Promise.all(readers.map(reader => reader.ask({ act: 'first' })))
  for (const { found } of answers)
    if (found !== tasks) throw new Error(`${found} of ${tasks} tasks were found`)
  const seconds = answers.map(({ ms }) => sum(ms) / 1000)
  const settled = answers.map(({ grown }) => grown.settled)
  const peak = answers.map(({ grown }) => grown.peak)
  firstRows.push([
    title,
    String(many),
    show(quantile(seconds, 1)),
    mb(median(settled)),
    mb(sum(settled)),
    mb(quantile(peak, 1)),
  ])
  const [kept, ...others] = readers
  for (const reader of others) await reader.close()
  if (!kept) throw new Error('at least one process is needed')
  return kept
}

const warmRows = [['tasks', 'what', 'found', 'median ms', 'p99', 'max']]
const warm = async (reader: Reader, tasks: number): Promise<void> => {
  const ask = async (title: string, question: Ask): Promise<Answer> => {
    const answer = await reader.ask(question)
    const figures = [median(answer.ms), quantile(answer.ms, 0.99), quantile(answer.ms, 1)].map(show)
    warmRows.push([show(tasks), title, show(answer.found), ...figures])
    return answer
  }
  const page = { act: 'list', cursor: null, times } as const
  const newest = await ask('page of 50, no filter', { ...page, filter: {} })
  await ask('the page after it', { ...page, filter: {}, cursor: newest.next })
  await ask('status SUCCESS (3 of 4)', { ...page, filter: { statuses: ['SUCCESS'] } })
  await ask('status PENDING (1 of 20)', { ...page, filter: { statuses: ['PENDING'] } })
  await ask('status STARTED (none)', { ...page, filter: { statuses: ['STARTED'] } })
  await ask('kind (1 of 4)', { ...page, filter: { kinds: ['binomial'] } })
  await ask('owner (1 of 5)', { ...page, filter: { owner: 'euler' } })
  await ask('owner (none)', { ...page, filter: { owner: 'nobody' } })
  await ask('text, found often', { ...page, filter: { text: 'Piece 7' } })
  await ask('text, found in the oldest 100 only', { ...page, filter: { text: 'lot 0,' } })
  await ask('text, not found', { ...page, filter: { text: 'there is no such text' } })
  await ask('counts by status and kind', { act: 'counts', times })
  await ask('claimNext (1 of 10 waits or waits to retry)', { act: 'claims', times: claims })
}

const place = takePlace(options.dir)
console.log(place.machine)
for (const tasks of options.tasks.split(',').map(Number)) {
  const dir = path.join(place.dir, String(tasks))
  const from = performance.now()
  fillFolder(dir, tasks, 'mixed')
  console.log(`${show(tasks)} state files written in ${show((performance.now() - from) / 1000)} s`)
  // the first finds nothing but state files, the later ones whatever it has left to them
  await (await openAll(dir, tasks, 1, `${show(tasks)}, state files only`)).close()
  rmSync(path.join(dir, 'index'), { recursive: true })
  await (await openAll(dir, tasks, processes, `${show(tasks)}, state files only`)).close()
  await (await openAll(dir, tasks, processes, show(tasks))).close()
  const reader = await openAll(dir, tasks, 1, show(tasks))
  await warm(reader, tasks)
  await reader.close()
}
console.log(`\n${table(firstRows)}\n\n${table(warmRows)}`)
