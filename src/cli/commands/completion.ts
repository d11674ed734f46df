// completion: the scripts for bash and zsh, and the command that those ask.
import type { Command } from 'commander'
import { complete, fitting } from '../completion/complete.ts'
import { SCRIPTS } from '../completion/scripts.ts'
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'
import { chooseServer } from '../settings/choose-server.ts'
import { splitLine } from '../shell/split-line.ts'

/** Whoever presses Tab waits no longer. */
const SOON_MS = 1_000

/** What may stand at the end of a line that begins with the program's name; nothing when it is not known soon. */
export const completeLine = async (
  program: Command,
  c: Console,
  line: string,
): Promise<{ words: string[]; files: boolean }> => {
  const { words, atNewWord } = splitLine(line)
  const word = atNewWord ? '' : (words.pop() ?? '')
  const signal = AbortSignal.any([c.signal, AbortSignal.timeout(SOON_MS)])
  try {
    const found = await complete(words.slice(1), word, {
      program,
      settings: () => c.settings.read(),
      client: async server =>
        c.clientOf(chooseServer(await c.settings.read(), server, c.machine.env), {
          patienceMs: 0,
          timeoutMs: SOON_MS,
        }),
      signal,
    })
    return { words: fitting(found, word), files: found.files }
  } catch {
    // nobody asks for a completion to read an error
    return { words: [], files: false }
  }
}

export const addCompletionCommand = (program: Command, c: Console): void => {
  program
    .command('completion <shell>')
    .description('a script for bash or zsh: eval "$(madhava completion bash)"')
    .action(async (shell: string) => {
      const script = shell === 'bash' || shell === 'zsh' ? SCRIPTS[shell] : null
      if (script === null) throw usage('There is a completion for bash and for zsh')
      return c.isJson ? c.printJson({ shell, script }) : c.print(script)
    })
  program.command('complete-line <line>', { hidden: true }).action(async (line: string) => {
    const { words, files } = await completeLine(program, c, line)
    const lines = [...words, ...(files ? [':files'] : [])]
    if (lines.length > 0) await c.print(lines.join('\n'))
  })
}
