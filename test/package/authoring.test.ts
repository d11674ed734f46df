// A project in an empty folder with the package: a kind is written, tested, checked, and run by a server of the test.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { installProject, type Project } from '../support/installed.ts'
import { requireService } from '../support/services.ts'

const WHOLE = `import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { startMadhava } from 'madhava/testing'

let madhava
after(() => madhava?.stop())

test('a server runs both kinds', async () => {
  madhava = await startMadhava({ kinds: new URL('../kinds', import.meta.url), builtInKinds: 'none' })
  for (const kind of KINDS) {
    const { id } = await madhava.client.submit({ kind, params: { text: 'to be or not' } })
    const { status, result } = await madhava.client.wait(id)
    assert.deepEqual([status, result], ['SUCCESS', { words: 4 }])
  }
})
`
const REQUIRED = `const { startMadhava } = require('madhava/testing')
startMadhava({ kinds: 'kinds', roles: ['api'] }).then(async madhava => {
  console.log((await madhava.client.kinds()).map(({ name }) => name).join())
  await madhava.stop()
})
`

describe('a project with kinds of its own', { timeout: 600_000 }, () => {
  const python = requireService('python')
  let project: Project
  before(() => {
    project = installProject()
    project.write({ 'package.json': '{ "type": "module" }' })
  })
  after(() => project?.remove())

  const madhava = (...args: string[]) => project.node(['node_modules/madhava/bin/madhava.mjs', ...args])
  const shell = (command: string) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    return spawnSync('sh', ['-c', command], { cwd: project.folder, encoding: 'utf8', env })
  }
  const make = (name: string, language: string): string => {
    const { status, stdout, stderr } = madhava('kind', 'new', name, '--lang', language, '--json')
    assert.equal(status, 0, stderr)
    const { test, needs } = JSON.parse(stdout) as { test: string; needs: string[] }
    assert.deepEqual(needs, [])
    return test
  }

  it('has a kind in TypeScript and one in Python whose tests pass as they are written', () => {
    for (const [name, language] of [
      ['count-words', 'typescript'],
      ...(python ? [] : [['words-in-python', 'python']]),
    ]) {
      const test = make(name ?? '', language ?? '')
      const { status, stdout, stderr } = shell(test)
      assert.equal(status, 0, `${test}: ${stdout}${stderr}`)
    }
  })

  it('finds nothing wrong with them', () => {
    const { status, stdout, stderr } = madhava('kind', 'check')
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /^count-words +count-words\.ts +text +/m)
  })

  it('runs them in a server of its test, which leaves nothing', () => {
    const kinds = ['count-words', ...(python ? [] : ['words-in-python'])]
    project.write({ 'test/whole.test.mjs': WHOLE.replace('KINDS', JSON.stringify(kinds)) })
    const { status, stdout } = project.node(['--test', 'test/whole.test.mjs'], { TMPDIR: project.folder })
    assert.equal(status, 0, stdout)
    assert.deepEqual(
      readdirSync(project.folder).filter(name => name.startsWith('madhava-test-')),
      [],
    )
    assert.notEqual(project.folder, tmpdir())
  })

  it('starts one from CommonJS too', () => {
    project.write({ 'required.cjs': REQUIRED })
    const { status, stdout, stderr } = project.node(['required.cjs'])
    assert.equal(status, 0, stderr)
    assert.match(stdout, /(?:^|,)count-words(?:,|$)/m)
  })
})
