// A Thrift door in a process of its own. It tells its port; for each line that it gets it tells its memory in bytes and its
// counters. The store keeps one task, the first that is submitted: what is measured is the door.
import { createInterface } from 'node:readline'
import { openBench } from '../rpc/fixture.ts'

export type DoorLine =
  | { port: number }
  | { rss: number; counters: { calls: number; refused: number; connections: number } }

const tell = (line: DoorLine): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
// one key for all: the same submission answers the first task, another one is refused after all checks
const bench = await openBench({}, service => ({
  ...service,
  submit: (actor, submission) => service.submit(actor, submission, 'one'),
}))
tell({ port: bench.door.address.port })
for await (const _ of createInterface({ input: process.stdin }))
  tell({ rss: process.memoryUsage.rss(), counters: bench.door.counters() })
await bench.close()
