// An image of a user's own, FROM ours: examples/project as it is, and a folder of kinds with two lines of Dockerfile.
// Slow; see test/support/docker.ts for when it runs.
import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { TaskRecord } from '../../src/core/task.ts'
import { makeStack } from '../support/compose.ts'
import {
  buildImage,
  type Door,
  docker,
  freshName,
  requireDocker,
  runContainer,
  tryDocker,
} from '../support/docker.ts'
import { installProject, must } from '../support/installed.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/project', import.meta.url))
const SLOW = { skip: requireDocker(), timeout: 900_000 }
const LONG_MS = 120_000

const makeFolder = (t: TestContext, files: Record<string, string> = {}): string => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-own-image-'))
  undo(t, () => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), text)
  }
  return dir
}

/** examples/project with what its reader adds: the package, and the lock that `npm install` writes. */
const makeProject = (t: TestContext): string => {
  const dir = makeFolder(t)
  cpSync(EXAMPLE, dir, { recursive: true })
  const installed = installProject()
  try {
    copyFileSync(installed.tarball, path.join(dir, 'madhava.tgz'))
  } finally {
    installed.remove()
  }
  must('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], dir)
  return dir
}

const build = async (t: TestContext, dir: string) => {
  const tag = freshName()
  undo(t, () => tryDocker(['rmi', '-f', tag]))
  const said = await tryDocker([
    'build',
    '-t',
    tag,
    '--build-arg',
    `MADHAVA_IMAGE=${await buildImage()}`,
    dir,
  ])
  return { tag, ...said }
}

const run = async (door: Door, kind: string, params: object): Promise<TaskRecord> => {
  const [id = ''] = await door.submit([{ kind, params }])
  await until(`${kind} ends`, async () => (await door.get(id)).finishedAt !== null, LONG_MS)
  return door.get(id)
}

describe('an image FROM ours', { timeout: 1_800_000 }, () => {
  it(
    'runs examples/project beside RabbitMQ: TypeScript with a package of its own, and Python',
    SLOW,
    async t => {
      const stack = await makeStack({}, makeProject(t))
      undo(t, () => stack.remove())
      await stack.compose('build')
      await stack.up()
      const similar = await run(stack.door, 'similar', { names: ['Ada', 'ADA', 'Bob'], distance: 0 })
      assert.deepEqual([similar.result, similar.error], [[['Ada', 'ADA']], null])
      const outliers = await run(stack.door, 'outliers', { values: [1, 2, 3, 40] })
      assert.deepEqual([outliers.result, outliers.error], [{ median: 2.5, outliers: [40] }, null])
      await until(
        'the queue is the broker',
        async () => {
          const { body } = await stack.door.call('GET', '/readyz')
          return (body as { checks: { queue: { status: string } } }).checks.queue.status === 'ok'
        },
        LONG_MS,
      )
      const users = await stack.compose(
        'exec',
        '-T',
        'rabbitmq',
        'rabbitmqctl',
        '-q',
        'list_connections',
        'user',
      )
      assert.match(users, /madhava/)
      const { tasks } = JSON.parse(
        await stack.compose('exec', '-T', 'app', 'madhava', 'tasks', '--json'),
      ) as {
        tasks: TaskRecord[]
      }
      assert.deepEqual(tasks.map(({ kind }) => kind).sort(), ['outliers', 'similar'])
      const inside = (...command: string[]) => stack.compose('exec', '-T', 'app', ...command)
      assert.equal(await inside('ls', '/node_modules'), 'leven', 'no second Madhava')
      assert.equal(await inside('id', '-un'), 'node')
      assert.equal(await inside('find', '/kinds', '-name', '*test*'), '')
    },
  )

  it('refuses to be built with a kind that cannot be used, and names it', SLOW, async t => {
    const dir = makeProject(t)
    writeFileSync(path.join(dir, 'kinds/broken.ts'), 'export default 1 +\n')
    const { code, err } = await build(t, dir)
    assert.notEqual(code, 0)
    assert.match(err, /broken\.ts/)
  })

  it('needs no package.json: two lines of Dockerfile, and one more for another WORKDIR', SLOW, async t => {
    const dir = makeFolder(t, {
      Dockerfile: `FROM ${await buildImage()}\nCOPY kinds/ /kinds\nWORKDIR /kinds\n`,
      'kinds/typed.ts': `import { defineKind, z } from 'madhava'
import { double } from './lib/double.ts'
export default defineKind({
  summary: 's', params: z.strictObject({ n: z.int() }), result: z.int(), example: { n: 1 }, run: ({ n }) => double(n),
})`,
      'kinds/lib/double.ts': 'export const double = (n: number): number => 2 * n',
      'kinds/required.js': `const { defineKind, z } = require('madhava')
module.exports = defineKind({ summary: 's', params: z.strictObject({}), result: z.int(), example: {}, run: () => 3 })`,
      'kinds/hello.sh': `#!/bin/sh
if [ "$1" = --describe ]; then
  echo '{"summary":"s","params":{"type":"object"},"result":{"type":"string"},"example":{}}'
else
  echo '{"result":"hello"}'
fi`,
    })
    chmodSync(path.join(dir, 'kinds/hello.sh'), 0o755)
    const { tag, code, err } = await build(t, dir)
    assert.equal(code, 0, err)
    const container = await runContainer(t, ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'], tag)
    await container.healthy()
    for (const [kind, params, result] of [
      ['typed', { n: 4 }, 8],
      ['required', {}, 3],
      ['hello', {}, 'hello'],
    ] as const) {
      const task = await run(container.door, kind, params)
      assert.deepEqual([task.result, task.error], [result, null], kind)
    }
    assert.equal(await docker('run', '--rm', tag, 'python3', '--version').catch(() => 'none'), 'none')
  })
})
