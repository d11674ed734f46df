// Keeps every core busy with processes of its own, for tests that must hold on a loaded machine.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Works for ever, but ends when its standard input closes: that is when whoever started it ends, however it goes. */
const WORK = `
process.stdin.on('end', () => process.exit()).resume()
const work = () => {
  for (const until = performance.now() + 50; performance.now() < until; );
  setImmediate(work)
}
work()
`

/** Two to a core, so that a test gets a third of one. @returns what ends them; may be called twice */
export const keepBusy = () => {
  const children = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', WORK], { stdio: ['pipe', 'ignore', 'ignore'] }),
  )
  for (const child of children) child.unref()
  return () => {
    for (const child of children) child.kill('SIGKILL')
  }
}
