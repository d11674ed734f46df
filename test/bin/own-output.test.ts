// Output that nobody takes: it ends no supervisor, and a tool says so by its exit code instead of with a stack.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runTool } from '../support/tool.ts'
import { undo } from '../support/undo.ts'

const folder = (t: TestContext): string => {
  const dir = mkdtempSync(path.join(tmpdir(), 'madhava-output-'))
  undo(t, () => rmSync(dir, { recursive: true, force: true }))
  mkdirSync(path.join(dir, 'data/tasks/00'), { recursive: true })
  writeFileSync(path.join(dir, 'data/tasks/00/stray'), '')
  return dir
}

/** Writes far more than a pipe holds, then says on another channel that it got there. */
const WRITER = `
import { dropUnreadOutput } from './bin/own-output.mjs'
dropUnreadOutput()
for (let n = 0; n < 200; n++) process.stdout.write('x'.repeat(100_000))
process.stderr.write('still here')
setTimeout(() => process.send('lived', () => process.exit(0)), 100)
`

describe('output that nobody takes', () => {
  for (const [what, close] of [
    ['is gone', true],
    ['has stopped to read', false],
  ] as const)
    it(`does not end or hold up a supervisor whose reader ${what}`, { timeout: 300_000 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER], {
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      if (close) for (const stream of [child.stdout, child.stderr]) stream?.destroy()
      const [message] = (await once(child, 'message')) as [string]
      assert.equal(message, 'lived')
      child.stdout?.destroy()
      child.stderr?.destroy()
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
    })

  it('makes a tool end with 2 and a word, not with the code of findings or a stack', t => {
    const dir = folder(t)
    for (const tool of ['fsck', 'export'] as const) {
      const { status, stderr } = runTool(tool, ['--data-dir', path.join(dir, 'data')], {
        stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
      })
      assert.equal(status, 2, `${tool}: ${stderr}`)
      assert.match(stderr, /^The output is cut off: it cannot be written \(ENOSPC\)\n$/)
    }
  })

  it('lets a repair go on to its end', t => {
    const data = path.join(folder(t), 'data')
    const repaired = runTool('fsck', ['--data-dir', data, '--repair'], {
      stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    })
    assert.equal(repaired.status, 2, repaired.stderr)
    const after = runTool('fsck', ['--data-dir', data])
    assert.equal(after.status, 0, after.stdout)
  })

  it('says which folder a tool has looked at when it is none', t => {
    const dir = folder(t)
    for (const tool of ['fsck', 'export'] as const) {
      const { status, stderr } = runTool(tool, ['--data-dir', dir])
      assert.equal(status, 2)
      assert.ok(stderr.startsWith(`Looked at ${dir} (`), stderr)
    }
  })
})
