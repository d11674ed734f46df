// No-op tasks per second from a filled queue: our worker beside Debian's Celery, on one RabbitMQ and one file system,
// in turns.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startRabbit } from '../test/support/rabbitmq.ts'
import { celeryVersion, createCelerySide, fileResults } from './celery-side.ts'
import { compare } from './compare.ts'
import { show } from './figures.ts'
import { createMadhavaSide } from './madhava-side.ts'
import { takePlace } from './place.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    tasks: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '2' },
    /** Only our side, under V8's profiler, whose file lands in the folder of the call. */
    profile: { type: 'boolean', default: false },
  },
})

const place = takePlace(options.dir)
const [tasks, rounds, concurrency] = [options.tasks, options.rounds, options.concurrency].map(Number) as [
  number,
  number,
  number,
]
const version = celeryVersion()
if (version === null && !options.profile) throw new Error('Celery is not installed: apt install celery')
console.log(`${place.machine}, Celery ${version}`)

/** What an earlier turn has left takes room. */
const fresh = (name: string, turn: number): string => {
  rmSync(path.join(place.dir, `${name}-${turn - 1}`), { recursive: true, force: true })
  return path.join(place.dir, `${name}-${turn}`)
}

const rabbit = await startRabbit()
try {
  const ours = createMadhavaSide({
    name: 'Madhava',
    concurrency,
    nodeArgs: options.profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : [],
    settings: turn => ({
      DATA_DIR: fresh('data', turn),
      AMQP_URL: rabbit.url,
      AMQP_QUEUE: `madhava-${turn}`,
    }),
  })
  const theirs = createCelerySide({
    brokerUrl: rabbit.url,
    concurrency,
    results: turn => fileResults(fresh('results', turn)),
  })
  if (options.profile) console.log(await ours.turn(tasks))
  else {
    const text = await compare([theirs, ours], rounds, tasks)
    console.log(`\n${show(tasks)} tasks a turn, ${rounds} rounds, concurrency ${concurrency}:\n\n${text}`)
  }
} finally {
  await rabbit.remove()
}
