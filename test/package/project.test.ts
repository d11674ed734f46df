// examples/project as its reader has it: in a project that has installed the package, by the commands of its own CI and
// of its README.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { processesOf, startBundle } from '../support/bundle.ts'
import { installProject, type Project } from '../support/installed.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXAMPLE = path.join(ROOT, 'examples/project')
const MADHAVA = 'node_modules/madhava/bin/madhava.mjs'
const skip = requireService('python')

interface Manifest {
  engines: Record<string, string>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest

describe('examples/project', { timeout: 600_000 }, () => {
  let project: Project
  before(() => {
    project = installProject()
    cpSync(EXAMPLE, project.folder, { recursive: true })
    // what the example installs beside Madhava and its packages
    const modules = path.join(project.folder, 'node_modules')
    symlinkSync(path.join(ROOT, 'node_modules/typescript'), path.join(modules, 'typescript'))
    symlinkSync('../typescript/bin/tsc', path.join(modules, '.bin/tsc'))
  })
  after(() => project?.remove())

  it('wants the packages that Madhava itself is tried with', () => {
    const [ours, theirs] = [manifestOf(ROOT), manifestOf(EXAMPLE)]
    const known = { ...ours.dependencies, ...ours.devDependencies }
    for (const [name, range] of Object.entries({ ...theirs.dependencies, ...theirs.devDependencies }))
      if (name !== 'madhava') assert.equal(range, known[name], name)
    assert.deepEqual(theirs.engines, ours.engines)
  })

  it('passes each step of its CI: types, tests of both kinds, the check of the folder', { skip }, () => {
    const text = readFileSync(path.join(project.folder, '.github/workflows/test.yml'), 'utf8')
    const steps = [...text.matchAll(/- run: (.+)$/gm)].map(([, step = '']) => step)
    // the package is installed already, and test/e2e/compose-own-image.test.ts builds the image
    const here = steps.filter(step => !/^(?:npm ci|docker) ?/.test(step))
    assert.deepEqual(here, ['npm test', 'npx madhava kind check kinds'])
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    for (const step of here) {
      const { status, stdout, stderr } = spawnSync('sh', ['-c', step], {
        ...{ cwd: project.folder, env, encoding: 'utf8' as const },
      })
      assert.equal(status, 0, `${step}: ${stdout}${stderr}`)
      if (step !== 'npm test') continue
      assert.match(stdout, /^# pass 6$/m)
      assert.match(stderr, /Ran 2 tests/)
    }
  })

  it('has tests that fail with what they try', { skip }, () => {
    const test = (): number | null =>
      project.node(['--import', 'tsx', '--test', 'kinds/similar.test.ts']).status
    const file = path.join(project.folder, 'kinds/lib/comparable.ts')
    const text = readFileSync(file, 'utf8')
    project.write({ 'kinds/lib/comparable.ts': 'export const comparable = (name: string): string => name' })
    assert.notEqual(test(), 0)
    project.write({ 'kinds/lib/comparable.ts': text })
    assert.equal(test(), 0)
  })

  it('answers the commands of its README as that says', { skip }, async t => {
    const dataDir = path.join(project.folder, 'data')
    const bundle = await startBundle(dataDir, {}, project.folder, {
      program: [MADHAVA, 'start', '--kinds', 'kinds'],
    })
    undo(t, async () => {
      await bundle.stop()
      for (const pid of processesOf(dataDir)) process.kill(pid, 'SIGKILL')
    })
    const page = readFileSync(path.join(project.folder, 'README.md'), 'utf8')
    const shown = [...page.matchAll(/^\$ npx madhava (.+)\n(.+)$/gm)]
    assert.equal(shown.length, 2)
    for (const [, args = '', answer = ''] of shown) {
      const { stdout, stderr, status } = spawnSync('sh', ['-c', `${process.execPath} ${MADHAVA} ${args}`], {
        ...{ cwd: project.folder, encoding: 'utf8' as const },
        env: { ...process.env, MADHAVA_URL: bundle.api, XDG_CONFIG_HOME: project.folder },
      })
      assert.deepEqual([status, stdout.trim()], [0, answer], stderr)
    }
  })
})
