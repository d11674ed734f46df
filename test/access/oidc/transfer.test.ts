// People who sign in by OpenID Connect keep their accounts when a folder goes into another one, and fsck knows them.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TaskStore } from '../../../src/core/store.ts'
import { exportFolder } from '../../../src/stores/files/tools/export.ts'
import { importFolder } from '../../../src/stores/files/tools/import.ts'
import { accessOf, ORIGIN } from '../../suites/access.ts'
import { allOf } from '../../suites/documents.ts'
import { type OddProvider, startOddProvider } from '../../support/odd-provider.ts'
import { oidcOf } from '../../support/store-access.ts'
import { openPlace } from '../../support/store-place.ts'
import { runTool } from '../../support/tool.ts'

const clock = (): Date => new Date()

describe('accounts of a provider', { timeout: 300_000 }, () => {
  let provider: OddProvider
  const folders: string[] = []
  before(async () => {
    provider = await startOddProvider()
  })
  after(async () => {
    await provider.close()
    await Promise.all(folders.map(dir => fs.rm(dir, { recursive: true, force: true })))
  })
  const folder = async (): Promise<string> => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-oidc-'))
    folders.push(dir)
    return dir
  }
  const signIn = async (store: TaskStore) => {
    const access = accessOf(store, { oidc: oidcOf(provider.issuer) })
    const { location, cookie } = await access.beginSignIn('rest', null)
    const query = provider.authorize(location)
    const { account } = await access.endSignIn({ door: 'rest', query, cookieOf: () => cookie.value }, ORIGIN)
    await access.close()
    return account
  }

  it('go out of one folder and into another, and their people find them there', async () => {
    const [from, to] = [await folder(), await folder()]
    const source = await openPlace({ adapter: 'files', dir: from })
    const account = await signIn(source)
    const lines: string[] = []
    for await (const line of exportFolder({ dir: from, clock, onLeftOut: place => assert.fail(place) }))
      lines.push(line)
    await source.close()
    assert.ok(lines.some(line => line.includes('"identities"')))
    // what ended, and what seals, stays
    for (const collection of ['ended-sign-ins', 'secrets', 'sessions'])
      assert.ok(!lines.some(line => line.includes(`"${collection}"`)), collection)
    const input = (async function* () {
      yield Buffer.from(lines.join(''))
    })()
    const { problem, refused, accounts } = await importFolder({
      dir: to,
      input,
      clock,
      accounts: true,
      replace: false,
      onRefused: (id, why) => assert.fail(`${id}: ${why}`),
    })
    // the account, its name, its person
    assert.deepEqual([problem, refused, accounts], [null, 0, 3])
    const target = await openPlace({ adapter: 'files', dir: to })
    assert.deepEqual(await signIn(target), account)
    await target.close()
  })

  it('are sound to fsck, which sets aside a person that is none', async () => {
    const dir = await folder()
    const store = await openPlace({ adapter: 'files', dir })
    const account = await signIn(store)
    const [identity] = await allOf(store.documents, 'identities')
    assert.ok(identity)
    await store.close()
    assert.equal(runTool('fsck', ['--data-dir', dir]).status, 0)
    const file = path.join(dir, 'identities', `${identity.name}.json`)
    const text = await fs.readFile(file, 'utf8')
    await fs.writeFile(file, text.replace('"subject"', '"subjekt"'))
    const told = runTool('fsck', ['--data-dir', dir])
    assert.equal(told.status, 1)
    assert.match(told.stdout, /identities/)
    // nobody gets an account by it, and nobody loses one
    const again = await openPlace({ adapter: 'files', dir })
    await assert.rejects(signIn(again), /cannot be used/)
    await again.close()
    await fs.writeFile(file, text)
    const mended = await openPlace({ adapter: 'files', dir })
    assert.equal((await signIn(mended)).id, account.id)
    await mended.close()
  })
})
