// Runs one command line to its end, and says what went wrong.
import { CommanderError } from 'commander'
import { addCommands, createProgram } from './build-program.ts'
import { type CommonOptions, type Console, createConsole } from './console.ts'
import type { Machine } from './environment.ts'
import { ConsoleError, EXIT, type ExitCode, exitOf } from './exit.ts'
import type { Interrupts } from './interrupts.ts'
import { createQuestions } from './questions.ts'
import { errorJson, errorText } from './said-error.ts'
import type { SettingsFile } from './settings/settings-file.ts'
import type { Screen } from './terminal/screen.ts'

export interface ExecuteOptions {
  machine: Machine
  out: Screen
  err: Screen
  settings: SettingsFile
  interrupts: Interrupts
  /** Called with the options of every command, as soon as they are read. */
  onOptions(options: CommonOptions): void
  /** What the command line does not say. */
  defaults?: CommonOptions
  isShell?: boolean
  alone?: Console['alone']
  /** In place of a command, where the line has none. */
  withoutCommand?(options: CommonOptions, help: () => string): Promise<ExitCode>
}

/** Runs the line's command. Resolves with the exit code, whatever happens. */
export const execute = async (
  argv: readonly string[],
  {
    machine,
    out,
    err,
    settings,
    interrupts,
    onOptions,
    defaults = {},
    isShell = false,
    alone = work => work(),
    withoutCommand,
  }: ExecuteOptions,
): Promise<ExitCode> => {
  let code: ExitCode = EXIT.ok
  let written: Promise<void> = Promise.resolve()
  const put = (screen: Screen) => (text: string) => {
    written = screen.write(text).catch(() => {})
  }
  const wantsJson = argv.includes('--json')
  const program = createProgram({ out: put(out), err: wantsJson ? () => {} : put(err) })
  const options = (): CommonOptions => ({ ...defaults, ...program.opts<CommonOptions>() })
  const questions = createQuestions({ input: machine.input, err, signal: () => interrupts.signal, alone })
  const c = createConsole({ machine, out, err, settings, interrupts, isShell, alone, questions, options })
  addCommands(program, c, wanted => {
    code = wanted
  })
  program.hook('preAction', () => onOptions(options()))
  try {
    const { operands, unknown } = program.parseOptions([...argv])
    onOptions(options())
    if (operands.length === 0 && unknown.length === 0 && withoutCommand)
      return await withoutCommand(options(), () => program.helpInformation())
    await program.parseAsync([...argv], { from: 'user' })
    await written
    return code
  } catch (error) {
    await written
    // the reason of an end is known better than what it made of a call
    const reason = interrupts.signal.aborted ? (interrupts.signal.reason as unknown) : error
    if (reason instanceof CommanderError) {
      if (reason.exitCode === 0) return EXIT.ok
      if (wantsJson) {
        const told = new ConsoleError(EXIT.usage, reason.message.replace(/^error: /, ''))
        await err.write(errorJson(told)).catch(() => {})
      }
      return EXIT.usage
    }
    const text = c.isJson ? errorJson(reason) : errorText(reason, err.style)
    if (text !== '') await err.write(text).catch(() => {})
    return exitOf(reason)
  }
}
