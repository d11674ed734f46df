// All commands of the console, for one command line.
import { Command } from 'commander'
import { VERSION } from '../platform/version.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addDeadCommand } from './commands/dead.ts'
import { seconds } from './commands/filter-options.ts'
import { addKindCommand } from './commands/kind.ts'
import { addKindsCommand } from './commands/kinds.ts'
import { addProgramCommands } from './commands/programs.ts'
import { addReadCommands } from './commands/read-out.ts'
import { addServerCommands } from './commands/servers.ts'
import { addSessionCommands } from './commands/session.ts'
import { addStatusCommand } from './commands/status.ts'
import { addSubmitCommand } from './commands/submit.ts'
import { addTaskCommands } from './commands/tasks.ts'
import { addTodoCommand } from './commands/todo.ts'
import { addTopCommand } from './commands/top.ts'
import { addUploadCommand } from './commands/upload.ts'
import { addWatchCommand } from './commands/watch.ts'
import type { Console } from './console.ts'
import type { ExitCode } from './exit.ts'

/** The program with the options of every command, and no command yet. */
export const createProgram = (output: { out(text: string): void; err(text: string): void }): Command =>
  new Command('madhava')
    .description('A task server: starts one, and works with one that runs.')
    .version(VERSION)
    .option('--server <name>', 'the server to ask, by its name or its address')
    .option('--json', 'JSON for scripts: one document, or one on each line')
    .option('--no-color', 'no colours')
    .option('--patience <seconds>', 'how long a server may be away before a command gives up', seconds)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: text => output.out(text),
      writeErr: text => output.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'madhava: ')),
    })
    .exitOverride()

/** @param exitWith sets the exit code of a command that ends without an error */
export const addCommands = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  program.commandsGroup('Tasks:')
  addSubmitCommand(program, c)
  addTaskCommands(program, c, exitWith)
  addReadCommands(program, c)
  addWatchCommand(program, c)
  addUploadCommand(program, c)
  addTodoCommand(program, c, exitWith)
  program.commandsGroup('Server:')
  addStatusCommand(program, c)
  addTopCommand(program, c)
  addKindsCommand(program, c)
  addDeadCommand(program, c, exitWith)
  program.commandsGroup('Access:')
  addSessionCommands(program, c)
  addServerCommands(program, c)
  program.commandsGroup('Kinds of your own:')
  addKindCommand(program, c, exitWith)
  program.commandsGroup('This machine:')
  addProgramCommands(program, c, exitWith)
  addCompletionCommand(program, c)
  program.addHelpText(
    'after',
    '\nWithout a command, on a terminal: a console with a prompt of its own.\nMADHAVA_URL and MADHAVA_KEY name a server and a key without settings.',
  )
}
