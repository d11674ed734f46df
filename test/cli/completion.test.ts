// Completion: what the console knows of a half-typed line, and that bash and zsh take it.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { fitting } from '../../src/cli/completion/complete.ts'
import { hasSecret } from '../../src/cli/shell/history.ts'
import { quoteWord, splitLine } from '../../src/cli/shell/split-line.ts'
import { requireService } from '../support/services.ts'
import { type ConsoleFixture, openConsole } from './console-fixture.ts'
import { openTerminal, type Terminal } from './terminal.ts'

let console_: ConsoleFixture
let terminal: Terminal | null = null
before(async () => {
  console_ = await openConsole()
})
after(() => console_.close())
afterEach(() => {
  terminal?.close()
  terminal = null
})

const completions = async (line: string): Promise<string[]> => {
  const { code, out, err } = await console_.madhava(['complete-line', line])
  assert.deepEqual([code, err], [0, ''])
  return out.split('\n').filter(word => word !== '')
}

describe('the completion of a line', () => {
  it('knows commands, options and their values', async () => {
    assert.deepEqual(await completions('madhava ta'), ['tasks', 'task'])
    assert.ok((await completions('madhava ')).includes('server'))
    assert.ok(!(await completions('madhava ')).includes('complete-line'))
    assert.deepEqual(await completions('madhava server u'), ['use'])
    assert.deepEqual(await completions('madhava tasks --st'), ['--status'])
    assert.deepEqual(await completions('madhava tasks --status S'), ['STARTED', 'SUCCESS'])
    assert.deepEqual(await completions('madhava tasks --status=F'), ['--status=FAILURE'])
    assert.deepEqual(await completions('madhava --json tasks --sort f'), ['finishedAt'])
    assert.deepEqual(await completions('madhava completion z'), ['zsh'])
    assert.deepEqual(await completions('madhava result x -o '), [':files'])
    assert.deepEqual(await completions('madhava upload x'), [':files'])
  })

  it('asks the server for kinds, params and ids of tasks', async () => {
    assert.deepEqual(await completions('madhava submit '), ['calcpi', 'echo'])
    assert.deepEqual(await completions('madhava kinds ec'), ['echo'])
    assert.deepEqual(await completions('madhava submit calcpi digits=3 '), ['method=', 'pace='])
    assert.deepEqual(await completions('madhava submit calcpi method=p'), ['method=plain'])
    const { id } = await console_.door.submit('echo', null)
    const done = await console_.door.ended('x')
    assert.deepEqual(await completions('madhava cancel '), [id])
    assert.deepEqual(await completions(`madhava task ${id.slice(0, 5)}`), [done.id, id])
    assert.deepEqual(await completions('madhava retry '), [done.id])
    assert.deepEqual(await completions(`madhava tasks --kind e`), ['echo'])
  })

  it('knows the names of servers, and asks the one that the line names', async () => {
    await console_.madhava(['server', 'add', 'nowhere', 'http://127.0.0.1:9'])
    await console_.madhava(['server', 'add', 'here', console_.url])
    assert.deepEqual(await completions('madhava server use '), ['nowhere', 'here'])
    assert.deepEqual(await completions('madhava --server h'), ['here'])
    assert.deepEqual(await completions('madhava --server here submit e'), ['echo'])
    assert.deepEqual(await completions('madhava --server nowhere submit e'), [])
    assert.deepEqual(await completions('madhava --server unknown submit e'), [])
  })

  it('answers with nothing, soon, when the server says nothing', async () => {
    console_.network.stall()
    try {
      assert.deepEqual(await completions('madhava submit '), [])
    } finally {
      console_.network.resume()
    }
  })

  it('offers no word that a shell could take for more than a word', () => {
    const words = ['plain', 'a b', '$(rm)', '`x`', 'a;b', "a'b", 'a\u001b[31m', '*', '']
    assert.deepEqual(fitting({ words, files: false }, ''), ['plain'])
  })
})

describe('a typed line', () => {
  it('is parted into words as a shell does', () => {
    assert.deepEqual(splitLine(`submit  echo 'a b' "c \\" d" e\\ f`).words, [
      'submit',
      'echo',
      'a b',
      'c " d',
      'e f',
    ])
    assert.deepEqual(splitLine(`x:='{"a":1}' ''`).words, ['x:={"a":1}', ''])
    assert.deepEqual(splitLine('a "b'), { words: ['a', 'b'], open: true, atNewWord: false })
    assert.equal(splitLine('a ').atNewWord, true)
  })

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), words => {
        assert.deepEqual(splitLine(words.map(quoteWord).join(' ')).words, words)
      }),
    )
  })

  it('stays out of the history when a secret is in it', () => {
    for (const line of [
      'login mdv_abcdef',
      'x mds_1',
      'register mdi_x',
      'server add a http://u:p@h',
      'x Bearer y',
    ])
      assert.ok(hasSecret(line), line)
    for (const line of ['submit calcpi digits=3', 'server add a http://h:1/x', 'tasks -q @me'])
      assert.ok(!hasSecret(line), line)
  })
})

/** A folder with the program under its name, as an installed package has it. */
const pathWithProgram = (): string => {
  const folder = path.join(console_.home, 'bin')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'madhava')
  const program = fileURLToPath(new URL('../../bin/madhava.mjs', import.meta.url))
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(file, 0o755)
  return `${folder}:${process.env.PATH}`
}

const typeAll = async (shell: Terminal): Promise<void> => {
  await shell.shows('ready>')
  shell.type('madhava comp')
  shell.press('Tab')
  await shell.shows('madhava completion')
  shell.press('C-u')
  shell.type('madhava submit ech')
  shell.press('Tab')
  await shell.shows('madhava submit echo')
  shell.press('C-u')
  shell.type('madhava submit calcpi method=pl')
  shell.press('Tab')
  await shell.shows('method=plain')
  shell.press('C-u')
  shell.type('madhava submit calcpi dig')
  shell.press('Tab')
  await shell.shows('calcpi digits=')
  shell.type('7')
  await shell.shows('calcpi digits=7')
  shell.press('C-u')
  shell.type('madhava upload ./one-fi')
  shell.press('Tab')
  await shell.shows('madhava upload ./one-file.txt')
}

describe('the scripts', () => {
  it('complete in bash', { skip: requireService('tmux') }, async () => {
    writeFileSync(path.join(console_.home, 'one-file.txt'), '')
    terminal = openTerminal(`cd ~ && exec bash --norc --noprofile -i`, {
      env: console_.environment({ PATH: pathWithProgram(), PS1: 'ready> ' }),
      columns: 100,
    })
    terminal.type(
      "PS1='read''y> '; bind 'set enable-bracketed-paste off'; eval \"$(madhava completion bash)\"",
    )
    terminal.press('Enter')
    await typeAll(terminal)
  })

  it('complete in zsh', { skip: requireService('tmux') || requireService('zsh') }, async () => {
    writeFileSync(path.join(console_.home, 'one-file.txt'), '')
    terminal = openTerminal(`cd ~ && exec zsh -f -i`, {
      env: console_.environment({ PATH: pathWithProgram() }),
      columns: 100,
    })
    terminal.type(
      "autoload -Uz compinit; compinit -u; bindkey -e; eval \"$(madhava completion zsh)\"; PS1='read''y> '",
    )
    terminal.press('Enter')
    await typeAll(terminal)
  })
})
