// The proof that a process is gone: given at once after a kill, never for one that lives, stopped or not.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { isProvedGone, type ProcessName, readProcess, thisProcess } from '../../src/platform/process-proof.ts'
import { until } from '../support/until.ts'

const linux = process.platform === 'linux' ? false : 'only Linux tells'
const program = `
  import(${JSON.stringify(new URL('../../src/platform/process-proof.ts', import.meta.url).href)})
    .then(({ thisProcess }) => console.log(JSON.stringify(thisProcess())))
  setInterval(() => {}, 1000)
`

describe('what the system says about a process', { skip: linux }, () => {
  it('tells those of Linux itself by what they are, wherever they stand', () => {
    assert.equal(readProcess('self')?.isKernel, false)
    const kernels = readdirSync('/proc').filter(
      pid => /^\d+$/.test(pid) && readProcess(Number(pid))?.isKernel,
    )
    for (const pid of kernels)
      assert.equal(readFileSync(`/proc/${pid}/cmdline`).length, 0, `${pid} has no arguments`)
    // in a container the second process is like any other
    const second = readProcess(2)
    if (second) assert.equal(second.isKernel, second.name === 'kthreadd')
  })
})

describe('the proof that a process is gone', { skip: linux }, () => {
  it('is not given for this one, nor for one that cannot be looked at', () => {
    const mine = thisProcess()
    assert.ok(mine.space && mine.startedTicks)
    assert.equal(isProvedGone(mine, mine), false)
    const odd: ProcessName[] = [
      { ...mine, space: 'another host', pid: 2 ** 22 },
      { ...mine, space: null, pid: 2 ** 22 },
      { ...mine, startedTicks: null, pid: 2 ** 22 },
      { ...mine, pid: 0 },
      { ...mine, pid: -1 },
      { ...mine, pid: 1.5 },
    ]
    for (const name of odd) assert.equal(isProvedGone(name, mine), false, JSON.stringify(name))
    assert.equal(isProvedGone(mine, { ...mine, space: null }), false)
  })

  it('is given for a process whose id now belongs to another one', () => {
    const mine = thisProcess()
    assert.equal(isProvedGone({ ...mine, startedTicks: '1' }, mine), true)
  })

  it('is not given while a process lives or is stopped, and is once it is killed', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const name = JSON.parse(line.toString()) as ProcessName
      const mine = thisProcess()
      assert.equal(name.space, mine.space)
      assert.equal(isProvedGone(name, mine), false)
      child.kill('SIGSTOP')
      assert.equal(isProvedGone(name, mine), false)
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      // also while nobody has fetched it
      await until('the proof', () => isProvedGone(name, mine))
      await gone
      assert.equal(isProvedGone(name, mine), true)
    } finally {
      child.kill('SIGKILL')
    }
  })
})
