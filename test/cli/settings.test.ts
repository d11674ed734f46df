// The file of settings, and which server and key a command takes from it.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ConsoleError } from '../../src/cli/exit.ts'
import { chooseServer, isOpenToOthers, readUrl } from '../../src/cli/settings/choose-server.ts'
import { placesOf } from '../../src/cli/settings/places.ts'
import { emptySettings, openSettings, type Settings } from '../../src/cli/settings/settings-file.ts'

let folder: string
let file: string
const uid = process.getuid?.() ?? null
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'madhava-settings-'))
  file = path.join(folder, 'inner', 'console.json')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const refusal = async (call: Promise<unknown>): Promise<ConsoleError> => {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ConsoleError, String(error))
  return error
}

describe('the file of settings', () => {
  it('is empty where there is none, and is written for its owner alone', async () => {
    const settings = openSettings(file, uid)
    assert.deepEqual(await settings.read(), emptySettings())
    await settings.change(one => {
      one.servers.local = { url: 'http://127.0.0.1:8000', key: 'mdv_secret' }
    })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.equal(statSync(path.dirname(file)).mode & 0o777, 0o700)
    assert.equal((await openSettings(file, uid).read()).servers.local?.key, 'mdv_secret')
  })

  it('is refused when others can read it, and says what to do', async () => {
    const settings = openSettings(file, uid)
    await settings.change(() => {})
    for (const [mode, shown] of [
      [0o640, '0640'],
      [0o604, '0604'],
      [0o620, '0620'],
    ] as const) {
      chmodSync(file, mode)
      const error = await refusal(settings.read())
      assert.ok(error.message.includes(`others can read them (mode ${shown})`))
      assert.match(error.hint ?? '', /chmod 600/)
      assert.equal(error.exit, 2)
      await refusal(settings.change(() => {}))
    }
    chmodSync(file, 0o600)
    if (uid !== null)
      assert.match((await refusal(openSettings(file, uid + 1).read())).message, /somebody else/)
  })

  it('is refused when it is a link, or no settings, without showing what it holds', async () => {
    const settings = openSettings(file, uid)
    await settings.change(() => {})
    for (const text of [
      '{"key":"mdv_secret',
      '[]',
      '{"version":2}',
      '{"version":1,"servers":{"a":{}}}',
      'null',
    ]) {
      writeFileSync(file, text)
      const { message } = await refusal(settings.read())
      assert.doesNotMatch(message, /mdv_secret/)
    }
    const elsewhere = path.join(folder, 'elsewhere')
    writeFileSync(elsewhere, '{}', { mode: 0o600 })
    rmSync(file)
    symlinkSync(elsewhere, file)
    await refusal(settings.read())
    assert.equal(readFileSync(elsewhere, 'utf8'), '{}')
  })

  it('lies where XDG says, if that is a whole path', () => {
    assert.equal(placesOf({}, '/home/ada').settings, '/home/ada/.config/madhava/console.json')
    assert.equal(placesOf({ XDG_CONFIG_HOME: '/c' }, '/home/ada').settings, '/c/madhava/console.json')
    assert.equal(
      placesOf({ XDG_CONFIG_HOME: 'c' }, '/home/ada').settings,
      '/home/ada/.config/madhava/console.json',
    )
    assert.equal(placesOf({ XDG_STATE_HOME: '/s' }, '/home/ada').history, '/s/madhava/history')
  })
})

const SETTINGS: Settings = {
  version: 1,
  current: 'work',
  servers: {
    work: { url: 'https://work.example', key: 'work-key' },
    home: { url: 'http://127.0.0.1:8000' },
  },
}

describe('the server of a command', () => {
  const chosen = (wanted: string | undefined, env: Record<string, string> = {}) => {
    const { name, url, key, keyFrom } = chooseServer(SETTINGS, wanted, env)
    return [name, url, key, keyFrom]
  }
  it('is the one of --server, then of MADHAVA_URL, then the current one, then this machine', () => {
    assert.deepEqual(chosen('home', { MADHAVA_URL: 'http://x' }), [
      'home',
      'http://127.0.0.1:8000',
      null,
      null,
    ])
    assert.deepEqual(chosen(undefined, { MADHAVA_URL: 'http://x/' }), [null, 'http://x', null, null])
    assert.deepEqual(chosen(undefined), ['work', 'https://work.example', 'work-key', 'settings'])
    assert.deepEqual(chooseServer(emptySettings(), undefined, {}).url, 'http://127.0.0.1:8000')
  })

  it('has its key whether it is named or its address is given', () => {
    assert.deepEqual(chosen('https://work.example/'), [
      'work',
      'https://work.example',
      'work-key',
      'settings',
    ])
    assert.deepEqual(chosen(undefined, { MADHAVA_URL: 'https://work.example' })[2], 'work-key')
  })

  it('gets the key of the environment, unless that was given for another address', () => {
    assert.deepEqual(chosen('home', { MADHAVA_KEY: ' k ' }).slice(2), ['k', 'environment'])
    const both = { MADHAVA_KEY: 'k', MADHAVA_URL: 'http://x' }
    assert.deepEqual(chosen(undefined, both).slice(1), ['http://x', 'k', 'environment'])
    assert.deepEqual(chosen('home', both).slice(2), [null, null])
    assert.deepEqual(chosen('work', both).slice(2), ['work-key', 'settings'])
  })

  it('is refused when nobody knows its name, or its address has a login in it', () => {
    assert.throws(() => chosen('nowhere'), /no server with the name nowhere/)
    assert.throws(() => chosen('constructor'), /no server with the name/)
    for (const url of ['ftp://x', 'http://', 'http://ada:secret@x', 'http://x?key=1', 'x'])
      assert.throws(
        () => readUrl(url),
        (error: unknown) => error instanceof ConsoleError && !error.message.includes('secret'),
      )
  })

  it('counts as open to others over http, but on this machine', () => {
    assert.deepEqual(
      [
        'http://10.0.0.1',
        'http://host:8000',
        'https://host',
        'http://127.0.0.1',
        'http://[::1]:1',
        'http://localhost',
        'http://localhost.example',
      ].map(isOpenToOthers),
      [true, true, false, false, false, false, true],
    )
  })
})
