// The console with a prompt of its own: all commands, `task`, `cls` and `exit`, and notices of one's own tasks.

import { addCommands, createProgram } from '../build-program.ts'
import { completeLine } from '../commands/completion.ts'
import { taskLine } from '../commands/task-table.ts'
import type { CommonOptions } from '../console.ts'
import { createConsole } from '../console.ts'
import type { Machine } from '../environment.ts'
import { execute } from '../execute.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { createInterrupts, type Interrupts } from '../interrupts.ts'
import { createQuestions } from '../questions.ts'
import { errorText } from '../said-error.ts'
import type { Places } from '../settings/places.ts'
import type { SettingsFile } from '../settings/settings-file.ts'
import { oneLine } from '../terminal/safe-text.ts'
import type { Screen } from '../terminal/screen.ts'
import { cutTo } from '../terminal/width.ts'
import { clockText } from '../terminal/words.ts'
import { openHistory } from './history.ts'
import { createLineEditor, type LineEditor } from './line-editor.ts'
import { askNewTask } from './new-task.ts'
import { followOwnTasks } from './own-tasks.ts'
import { pathWords } from './path-words.ts'
import { splitLine } from './split-line.ts'

export interface ShellOptions {
  machine: Machine
  out: Screen
  err: Screen
  settings: SettingsFile
  places: Places
  interrupts: Interrupts
  /** Of the command line that began it. */
  options: CommonOptions
}

const OWN_HELP = `
At this prompt also:
  task           asks for a new task; task ID shows one
  cls            clears the terminal
  exit           leaves, as Ctrl-D does
Tab completes, the arrows go through what was typed before, Ctrl-C ends a command.
`
const CLEAR = '\u001b[H\u001b[2J\u001b[3J'

/** Until `exit`, Ctrl-D or a signal. Resolves with the exit code. */
export const runShell = async ({
  machine,
  out,
  err,
  settings,
  places,
  interrupts: outer,
  options,
}: ShellOptions): Promise<ExitCode> => {
  const history = await openHistory(places.history)
  let current: Interrupts | null = null
  let label = 'madhava'
  let editor: LineEditor
  const alone = <T>(work: () => Promise<T>): Promise<T> => editor.alone(work)
  // a Ctrl-C that comes as a signal is for the command, or for a program that it runs
  const release = outer.take(() => current?.raise('SIGINT'))

  /** What a command has at hand, outside of one. */
  const consoleFor = (interrupts: Interrupts) => {
    const program = createProgram({ out: () => {}, err: () => {} })
    const questions = createQuestions({ input: machine.input, err, signal: () => interrupts.signal, alone })
    const c = createConsole({
      machine,
      out,
      err,
      settings,
      interrupts,
      questions,
      isShell: true,
      alone,
      options: () => options,
    })
    addCommands(program, c, () => {})
    return { program, c }
  }
  const { program, c } = consoleFor(outer)

  editor = createLineEditor({
    input: machine.input,
    screen: out,
    prompt: () => `${label}> `,
    history: history.lines(),
    onInterrupt: () => current?.raise('SIGINT'),
    async complete(line) {
      const word = /\S*$/.exec(line)?.[0] ?? ''
      // within quotes it is not clear where the word begins
      if (/["'\\]/.test(line)) return [[], word]
      const { words, files } = await completeLine(program, c, `madhava ${line}`)
      const begin = /[^=@]*$/.exec(word)?.[0] ?? ''
      const found = files
        ? (await pathWords(begin)).map(one => word.slice(0, -begin.length || undefined) + one)
        : []
      const own = line.trim() === word ? ['cls', 'exit'].filter(one => one.startsWith(word)) : []
      const all = [...words, ...own, ...found]
      const [only] = all
      // one that ends a word goes on with the next
      return [all.length === 1 && only && !/[=@/]$/.test(only) ? [`${only} `] : all, word]
    },
  })
  const leave = (): void => editor.close()
  outer.signal.addEventListener('abort', leave, { once: true })

  let watching = new AbortController()
  let watched = ''
  /** Follows the tasks of who is logged in now. */
  const follow = async (): Promise<void> => {
    const server = await c.server().catch(() => null)
    if (!server) return
    label = server.name ?? 'madhava'
    const now = `${server.url} ${server.key ?? ''}`
    if (now === watched) return
    watched = now
    watching.abort()
    watching = new AbortController()
    const { signal } = watching
    followOwnTasks({
      client: c.clientOf(server, { patienceMs: 0 }),
      signal,
      onEnd: task =>
        editor.notice(taskLine(task, { columns: out.columns - 1, style: out.style, now: machine.clock() })),
      tell: text => editor.notice(cutTo(`${clockText(machine.clock())}  ${oneLine(text)}`, out.columns - 1)),
    }).catch(() => {})
  }

  const runLine = async (words: string[]): Promise<ExitCode> => {
    let giveUp: (code: ExitCode) => void = () => {}
    const late = new Promise<ExitCode>(resolve => {
      giveUp = resolve
    })
    const interrupts = createInterrupts(null, code => giveUp(code))
    const end = (): void => interrupts.end(outer.signal.reason as never)
    outer.signal.addEventListener('abort', end, { once: true })
    current = interrupts
    try {
      let line = words
      if (words.length === 1 && words[0] === 'task') {
        const { c: mine } = consoleFor(interrupts)
        try {
          line = await askNewTask(await mine.client(), mine.questions, interrupts.signal)
        } catch (error) {
          const text = errorText(interrupts.signal.aborted ? interrupts.signal.reason : error, err.style)
          if (text !== '') await err.write(text)
          return EXIT.failed
        }
      }
      const done = execute(line, {
        machine,
        out,
        err,
        settings,
        interrupts,
        onOptions: () => {},
        defaults: options,
        isShell: true,
        alone,
      })
      return await Promise.race([done, late])
    } finally {
      outer.signal.removeEventListener('abort', end)
      current = null
      interrupts.close()
    }
  }

  try {
    await follow()
    const server = await c.server().catch(() => null)
    await out.write(
      `${cutTo(`Madhava, ${server ? server.url : 'no server'}. help lists the commands, exit leaves.`, out.columns)}\n`,
    )
    for (;;) {
      const line = await editor.read()
      if (line === null) break
      const { words, open } = splitLine(line)
      if (words.length === 0) continue
      await history.add(line)
      if (open) {
        await err.write('madhava: a quote is not closed\n')
        continue
      }
      // whoever types the program's name too means the same
      if (words[0] === 'madhava') words.shift()
      const [name] = words
      if (name === undefined) continue
      if (name === 'exit' || name === 'quit') break
      if (name === 'cls' || name === 'clear') {
        await out.write(CLEAR)
        continue
      }
      await runLine(words)
      if (outer.signal.aborted) break
      if (name === 'help' && words.length === 1) await out.write(OWN_HELP)
      await follow()
    }
    outer.signal.throwIfAborted()
    return EXIT.ok
  } finally {
    watching.abort()
    release()
    outer.signal.removeEventListener('abort', leave)
    editor.close()
  }
}
