// A reporter for Node's test runner: prints the slowest test files at the end, for the list in test.mjs.
import path from 'node:path'

const SHOWN = 25

/** @param {AsyncIterable<{ type: string, data: { nesting: number, file?: string, details: { duration_ms: number } } }>} events */
export default async function* slowestFiles(events) {
  const seconds = new Map()
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting !== 0 || !data.file) continue
    const file = path.relative(process.cwd(), data.file)
    seconds.set(file, (seconds.get(file) ?? 0) + data.details.duration_ms / 1000)
  }
  const slowest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, SHOWN)
  yield `The files that took longest, in seconds:\n`
  for (const [file, took] of slowest) yield `${took.toFixed(1).padStart(7)}  ${file}\n`
}
