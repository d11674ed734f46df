// Finding processes by a mark in their environment, also in the moment in which they become another program.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { findMarked, findMarkedNow } from '../../src/platform/marked-processes.ts'
import { readProcess } from '../../src/platform/process-proof.ts'

const NAME = 'MADHAVA_TEST_MARK'
/** Becomes itself again and again, each time with one less to go. */
const CHAIN = 'n=$1; [ "$n" -gt 0 ] && exec sh -c "$0" "$0" $((n - 1)); exec sleep 600'
const LOOKS = 200

describe('processes with a mark', { timeout: 300_000, skip: process.platform !== 'linux' }, () => {
  for (const [name, find] of [
    ['one after another', findMarked],
    ['all in one go', async (search: Parameters<typeof findMarkedNow>[0]) => findMarkedNow(search)],
  ] as const)
    it(`are found at every look while they become other programs: ${name}`, async () => {
      const value = `mark-${process.pid}-${name.length}`
      const child = spawn('sh', ['-c', CHAIN, CHAIN, '1000000'], {
        env: { PATH: '/usr/bin:/bin', [NAME]: value },
        stdio: 'ignore',
      })
      try {
        await once(child, 'spawn')
        const sinceTicks = Number(readProcess(child.pid ?? 0)?.startedTicks)
        for (let look = 0; look < LOOKS; look += 1) {
          const found = await find({ name: NAME, isWanted: text => text === value, sinceTicks })
          assert.deepEqual(
            found.map(({ pid }) => pid),
            [child.pid],
            `look ${look}`,
          )
        }
      } finally {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    })
})
