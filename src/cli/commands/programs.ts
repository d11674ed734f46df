// The programs of a server as commands: they run as they are, in a process of their own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode, usage } from '../exit.ts'

/** As in bin/madhava.mjs, which runs them without the console where they stand first. */
const PROGRAMS: Readonly<Record<string, string>> = {
  start: 'start a server on this machine',
  dev: 'the same, and read the kinds again when one of their files changes',
  fsck: 'check the data folder of a server on this machine',
  export: 'write all tasks of a data folder or a Redis to standard output',
  import: 'read them in',
  migrate: 'say what this version would change in a data folder, and change it',
  'reset-password': 'replace the password of operator',
}

const BIN = fileURLToPath(new URL('../../../bin/madhava.mjs', import.meta.url))

export const addProgramCommands = (
  program: Command,
  c: Console,
  exitWith: (code: ExitCode) => void,
): void => {
  for (const [name, description] of Object.entries(PROGRAMS))
    program
      .command(`${name} [args...]`)
      .description(description)
      .helpOption(false)
      .allowUnknownOption()
      .action((args: string[]) =>
        c.alone(async () => {
          if (c.isJson && !c.isShell)
            throw usage(`${name} knows no --json here: madhava ${name} takes its own options`)
          // the terminal sends Ctrl-C to the program too, which ends as it does
          const release = c.interrupts.take(() => {})
          try {
            const child = spawn(process.execPath, [BIN, name, ...args], { stdio: 'inherit' })
            const [code] = (await once(child, 'exit')) as [number | null]
            exitWith((code ?? EXIT.interrupted) as ExitCode)
          } finally {
            release()
          }
        }),
      )
}
