// The console: reads a command line and runs its command. It talks to a server through the client alone.
import type { CommonOptions } from './console.ts'
import { type Machine, thisMachine } from './environment.ts'
import { execute } from './execute.ts'
import { EXIT, type ExitCode } from './exit.ts'
import { createInterrupts } from './interrupts.ts'
import { placesOf } from './settings/places.ts'
import { openSettings } from './settings/settings-file.ts'
import { createScreen, pipeClosed } from './terminal/screen.ts'

export { EXIT } from './exit.ts'

/** @param argv without node and the script. Resolves with the exit code; docs/console.md has them */
export const run = async (argv: readonly string[], machine: Machine = thisMachine()): Promise<ExitCode> => {
  const places = placesOf(machine.env, machine.home)
  const settings = openSettings(places.settings, machine.uid)
  const interrupts = createInterrupts(machine, code => machine.exit(code))
  let known: CommonOptions = {}
  const screenOptions = {
    env: machine.env,
    isPlain: () => known.color === false,
    onClosed: () => interrupts.end(pipeClosed()),
  }
  const out = createScreen(machine.out, screenOptions)
  // nobody reads what goes wrong: that is no reason to end
  const err = createScreen(machine.err, { ...screenOptions, onClosed: () => {} })
  try {
    return await execute(argv, {
      machine,
      out,
      err,
      settings,
      interrupts,
      onOptions(options) {
        known = options
      },
      async withoutCommand(options, help) {
        if (machine.input.isTTY !== true || !out.canRedraw) {
          await err.write(help()).catch(() => {})
          return EXIT.usage
        }
        const { runShell } = await import('./shell/shell.ts')
        return runShell({ machine, out, err, settings, places, interrupts, options })
      },
    })
  } finally {
    interrupts.close()
    out.close()
    err.close()
  }
}
