// What is found of an attempt's processes by their groups alone, where no mark tells of them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { readProcess } from '../../src/platform/process-proof.ts'
import { createProcessKeeper } from '../../src/worker/processes/attempt-processes.ts'
import { processesWith } from '../support/find-processes.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const skip = process.platform === 'linux' ? false : 'processes are found by /proc'

const isBare = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`).length === 0
  } catch {
    return false
  }
}

describe('the group of a child that has ended', { skip, timeout: 300_000 }, () => {
  it('is ended with the attempt while it has members, whatever their environment', async t => {
    const keeper = createProcessKeeper()
    undo(t, () => keeper.close())
    const attempt = keeper.open(randomUUID(), 1)
    const word = `word-${randomUUID()}`
    // it goes when its input ends, and leaves one behind
    const child = spawn('sh', ['-c', `env -i sh -c 'sleep 600; :' ${word} </dev/null & read end`], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const pid = child.pid ?? 0
    undo(t, () => {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // it is gone, as it should be
      }
    })
    const startedTicks = readProcess(pid)?.startedTicks ?? null
    attempt.note({ event: 'started', pid, startedTicks })
    // the shell that is to stay, and neither what becomes it nor the one that begins it
    await until('it has left one', () => processesWith(word).some(each => each !== pid && isBare(each)))
    const exited = once(child, 'exit')
    child.stdin?.end()
    await exited
    attempt.note({ event: 'ended', pid, startedTicks })
    assert.notDeepEqual(processesWith(word), [])
    assert.match((await attempt.end()) ?? '', /^ended .*that the attempt had left: /)
    assert.deepEqual(processesWith(word), [])
  })
})
