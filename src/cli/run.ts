// The console: reads a command line and runs its command. It talks to a server through the client alone.
import { Command, CommanderError } from 'commander'
import { VERSION } from '../platform/version.ts'

/** Exit codes; docs/console.md lists them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/** @param argv without node and the script. Resolves with the exit code; what it says goes to the given streams */
export const run = async (
  argv: readonly string[],
  {
    out = process.stdout,
    err = process.stderr,
  }: { out?: { write(text: string): unknown }; err?: typeof out } = {},
): Promise<number> => {
  const program = new Command('madhava')
    .description('A task server: starts one, and works with one that runs.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: text => out.write(text), writeErr: text => err.write(text) })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    throw error
  }
}
