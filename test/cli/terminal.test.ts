// The console in a real terminal: what is typed stays whole while tasks end, and the terminal is as it was afterwards.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { widthOf } from '../../src/cli/terminal/width.ts'
import { report, succeed } from '../../src/core/moves.ts'
import { PASSWORD } from '../api/fixture.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'
import { type ConsoleFixture, openConsole } from './console-fixture.ts'
import { openTerminal, type Terminal } from './terminal.ts'

const PROGRAM = `exec '${process.execPath}' '${fileURLToPath(new URL('../../bin/madhava.mjs', import.meta.url))}'`
const skip = requireService('tmux')
const now = (): string => new Date().toISOString()

let console_: ConsoleFixture
let terminal: Terminal | null = null
const open = (
  args: string,
  size: { columns?: number; rows?: number; env?: Record<string, string> } = {},
): Terminal => {
  terminal = openTerminal(`${PROGRAM} ${args}`, { ...size, env: console_.environment(size.env) })
  return terminal
}
before(async () => {
  console_ = await openConsole({ anonymous: 'full' })
})
after(() => console_.close())
afterEach(() => {
  terminal?.close()
  terminal = null
})

const finish = async (id: string): Promise<void> => {
  const claimed = await console_.door.run(id)
  await console_.door.store.move(id, claimed?.claim ?? 0, succeed('done', null, now()))
}
/** A running task, with so much progress. */
const running = async (title: string, percent: number, digits: string): Promise<string> => {
  const { id } = await console_.door.submit('echo', null, { title })
  await console_.door.run(id)
  await console_.door.store.move(id, 1, report({ percent, note: 'at work', etaSeconds: 5 }, digits, now()))
  return id
}
/** The processes of the program that the terminal runs. */
const programOf = (pid: number): number =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .find(one => {
      try {
        const stat = readFileSync(`/proc/${one}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
      } catch {
        return false
      }
    }) ?? assert.fail('the program does not run')

describe('the prompt', () => {
  it('keeps what is typed whole while 100 tasks end, and tells of each on a line of its own', {
    skip,
  }, async () => {
    const ids: string[] = []
    for (let n = 0; n < 100; n += 1)
      ids.push((await console_.door.submit('echo', null, { title: `task-${n}-${'x'.repeat(n)}` })).id)
    const shell = open('', { columns: 60, rows: 20 })
    await shell.shows('madhava>')
    await until('it listens', async () => {
      // a task of before that ends shows that notices come
      const { id } = await console_.door.submit('echo', null, { title: 'probe' })
      await finish(id)
      await new Promise(resolve => setImmediate(resolve))
      return shell.lines().some(line => line.includes('probe'))
    })
    // longer than a line, with signs of two columns
    const text = `submit echo text=${'日本語 and so on 🎉 '.repeat(6)}end`
    const signs = Array.from(text)
    const typing = (async () => {
      for (const sign of signs) {
        shell.type(sign)
        await new Promise(resolve => setImmediate(resolve))
      }
    })()
    for (const id of ids) await finish(id)
    await typing
    await until('all are told of', () =>
      ids.every((_, n) => shell.lines().some(line => new RegExp(`task-${n}(-|…)`).test(line))),
    )
    const joined = (): string => {
      const lines = shell.lines()
      const at = lines.findLastIndex(line => line.startsWith('madhava> '))
      return lines.slice(at).join('').trimEnd()
    }
    const flat = (line: string): string => line.replaceAll(' ', '')
    await until('the whole line stands there', () => flat(joined()) === flat(`madhava> ${text}`)).catch(() =>
      assert.equal(joined(), `madhava> ${text}`),
    )
    const told = shell.lines().filter(line => line.includes('SUCCESS'))
    for (const line of told) {
      assert.match(line, /^\d\d:\d\d:\d\d {2}…\w{8} {2}echo {2}SUCCESS {3}(task-\d+-?x*…?|probe)$/)
      assert.ok(widthOf(line) < 60)
    }
    for (const [n] of ids.entries())
      assert.equal(told.filter(line => new RegExp(` task-${n}(-|$)`).test(line)).length, 1, `task-${n}`)
    // nothing else stands among them
    const begun = shell.lines().findIndex(line => line.startsWith('Madhava, '))
    const end = shell.lines().findLastIndex(line => line.startsWith('madhava> '))
    assert.deepEqual(
      shell
        .lines()
        .slice(begun + 1, end)
        .filter(line => !line.includes('SUCCESS')),
      [],
    )
    // and it is what is submitted
    const count = (await console_.door.store.counts()).total
    shell.press('C-u')
    shell.type('submit echo text=hello')
    shell.press('Enter')
    await until('it is submitted', async () => (await console_.door.store.counts()).total === count + 1)
  })

  it('has the commands of the original, history and completion', { skip }, async () => {
    const shell = open('')
    await shell.shows('exit leaves')
    shell.type('stat')
    shell.press('Tab')
    await shell.shows('madhava> status')
    shell.press('Enter')
    await shell.shows('Madhava 1.2.3')
    shell.type('submit ec')
    shell.press('Tab')
    await shell.shows('submit echo')
    shell.press('Enter')
    await shell.shows(/^[\w-]{36}$/m)
    shell.type('cls')
    shell.press('Enter')
    await until('it is clear', () => !shell.lines().join('\n').includes('Madhava 1.2.3'))
    shell.type('nonsense')
    shell.press('Enter')
    await shell.shows("unknown command 'nonsense'")
    shell.type('login --key mdv_abcdefgh12345678_secret')
    shell.press('Enter')
    await shell.shows('never stands on the command line')
    shell.press('Up')
    await until('the line before it comes', () =>
      /madhava> nonsense$/.test(shell.lines().join('\n').trimEnd()),
    )
    shell.press('C-c')
    shell.type('fsck --help')
    shell.press('Enter')
    await shell.shows('--repair')
    shell.type('help')
    shell.press('Enter')
    await shell.shows('asks for a new task')
    shell.type('exit')
    shell.press('Enter')
    await shell.shows('[ended 0]')
    const history = path.join(console_.home, '.local/state/madhava/history')
    assert.equal(statSync(history).mode & 0o777, 0o600)
    const lines = readFileSync(history, 'utf8').split('\n')
    assert.ok(lines.includes('nonsense') && lines.includes('status '), lines.join('|'))
    assert.ok(!lines.join().includes('mdv_'))
    shell.close()
    const again = open('')
    await again.shows('exit leaves')
    again.press('Up', 'Up')
    await again.shows(/madhava> help$/m)
    again.press('C-u', 'C-d')
    await again.shows('[ended 0]')
  })

  it('asks for a new task by `task`, and goes on with what was typed meanwhile', { skip }, async () => {
    const shell = open('')
    await shell.shows('exit leaves')
    shell.type('task')
    shell.press('Enter')
    await shell.shows('What is to be computed?')
    shell.press('Enter')
    await shell.shows('digits (integer)')
    shell.type('12')
    shell.press('Enter')
    await shell.shows('method')
    shell.press('Enter')
    await shell.shows('pace (number')
    shell.press('Enter')
    await shell.shows('Title')
    shell.type('asked for')
    shell.press('Enter')
    await until('it is submitted', async () => {
      const { tasks } = await console_.door.store.list({}, { limit: 1, cursor: null })
      return tasks[0]?.title === 'asked for'
    })
    const { tasks } = await console_.door.store.list({}, { limit: 1, cursor: null })
    assert.deepEqual(tasks[0]?.params, { digits: 12, method: 'wijngaarden', pace: 0 })
    // typed while a command runs
    shell.type('watch')
    shell.press('Enter')
    await shell.shows('Watching; Ctrl-C ends it.')
    shell.type('whoami')
    shell.press('C-c')
    await shell.shows(/madhava> whoami$/m)
    shell.press('Enter')
    await shell.shows('nobody has logged in')
  })

  it('shows no password, and tells of a server that is away', { skip }, async () => {
    await console_.door.logIn('ada', 'user')
    const shell = open('')
    await shell.shows('exit leaves')
    shell.type('login')
    shell.press('Enter')
    await shell.shows('Name')
    shell.type('ada')
    shell.press('Enter')
    await shell.shows('Password of ada')
    shell.type(PASSWORD)
    shell.press('Enter')
    await shell.shows(/Logged in at local .* as ada\./)
    await shell.shows(/^local>/m)
    assert.ok(!shell.lines().join('\n').includes(PASSWORD))
    await console_.network.refuse()
    await shell.shows('cannot be reached')
    await console_.network.accept()
    await shell.shows('is back')
    shell.type('logout')
    shell.press('Enter')
    await shell.shows('the key is revoked')
    shell.press('C-d')
    await shell.shows('[ended 0]')
  })
})

describe('a task that is watched', () => {
  it('has a bar and its digits, and Ctrl-C asks what to do', { skip }, async () => {
    const id = await running('watched', 42, `3.${'1415926535'.repeat(30)}77`)
    const shell = open(`task ${id} --watch`, { columns: 60 })
    await shell.shows('PROGRESS  42 %  5.0 s left  at work')
    await shell.shows(/…[\d]+77$/m)
    shell.press('C-c')
    await shell.shows('Cancel it')
    shell.press('Down', 'Enter')
    await shell.shows('The task goes on')
    await shell.shows('[ended 130]')
    assert.equal(shell.state().cursor, true)
    shell.close()
    const again = open(`task ${id} --watch`, { columns: 40 })
    await again.shows('PROGRESS  42 %')
    again.press('C-c')
    await again.shows('Go on looking')
    again.press('Enter')
    await console_.door.store.move(
      id,
      1,
      report({ percent: 60, note: null, etaSeconds: null }, '3.14', now()),
    )
    await again.shows('PROGRESS  60 %')
    again.press('C-c')
    await again.shows('Cancel it')
    again.press('C-c')
    await again.shows('[ended 130]')
  })

  it('is cancelled by Ctrl-C and a yes', { skip }, async () => {
    const { id } = await console_.door.submit('echo', null)
    const shell = open(`task ${id} --watch`)
    await shell.shows('PENDING')
    shell.press('C-c')
    await shell.shows('Cancel it')
    shell.press('Up', 'Enter')
    await shell.shows('was cancelled')
    await shell.shows('[ended 1]')
    assert.equal((await console_.door.store.get(id))?.status, 'REVOKED')
  })
})

describe('top', () => {
  it('shows the running tasks at any width from 40 columns on, and gives the terminal back', {
    skip,
  }, async () => {
    const id = await running('日本語', 33.3, '3.14')
    const shell = open('top --every 0.2', { columns: 40, rows: 30 })
    await shell.shows(`…${id.slice(-8)}`)
    await shell.shows('33.3')
    assert.deepEqual(shell.state(), { cursor: false, alternate: true })
    await console_.door.store.move(
      id,
      1,
      report({ percent: 66.6, note: null, etaSeconds: null }, '3.14', now()),
    )
    await shell.shows('66.6')
    shell.resize(120, 30)
    await shell.shows(id)
    shell.press('q')
    await shell.shows('[ended 0]')
    assert.deepEqual(shell.state(), { cursor: true, alternate: false })
  })

  it('gives the terminal back by SIGTERM, by SIGHUP and by Ctrl-C too', { skip }, async () => {
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGHUP', 129],
      ['SIGINT', 130],
    ] as const) {
      const shell = open('top --every 0.2')
      await shell.shows('q ends')
      if (signal === 'SIGINT') shell.press('C-c')
      else process.kill(programOf(shell.pid()), signal)
      await shell.shows(`[ended ${code}]`)
      assert.deepEqual(shell.state(), { cursor: true, alternate: false })
      // the keys echo again
      shell.type('echoed')
      await shell.shows('echoed')
      shell.close()
    }
  })

  it('says that the server is away, and goes on', { skip }, async () => {
    const shell = open('top --every 0.2')
    await shell.shows('q ends')
    await console_.network.refuse()
    await shell.shows('cannot be reached')
    await console_.network.accept()
    await until('it is back', () => !shell.screen().includes('cannot be reached'))
    shell.press('q')
    await shell.shows('[ended 0]')
  })

  it('needs a terminal', async () => {
    const { code } = await console_.program(['top'])
    assert.equal(code, 2)
  })
})

describe('an upload', () => {
  it('has a bar, and prints the id', { skip }, async () => {
    const file = path.join(console_.home, 'a file.bin')
    writeFileSync(file, Buffer.alloc(1024 * 1024, 7))
    const shell = open(`upload '${file}'`)
    await shell.shows(/^[\w-]{36}$/m)
    await shell.shows('[ended 0]')
  })
})
