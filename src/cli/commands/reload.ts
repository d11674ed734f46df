// reload: all processes of the server read the files of kinds again.
import type { Command } from 'commander'
import type { KindsReloaded } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { oneLine } from '../terminal/safe-text.ts'

const namesText = (names: readonly string[]): string => names.map(oneLine).join(', ')

/** What was reloaded, a line for each sort of change. */
export const reloadedLines = ({ added, changed, removed, unchanged, processes }: KindsReloaded): string[] => {
  const late = processes.filter(({ isUsed }) => !isUsed)
  return [
    ...(added.length > 0 ? [`added    ${namesText(added)}`] : []),
    ...(changed.length > 0 ? [`changed  ${namesText(changed)}`] : []),
    ...(removed.length > 0 ? [`removed  ${namesText(removed)}`] : []),
    `${unchanged} kinds are as they were; ${processes.length - late.length} processes use what they have read`,
    ...late.map(
      ({ role, pid, host }) => `${oneLine(role)} ${pid} on ${oneLine(host)} has not said that it does yet`,
    ),
  ]
}

export const addReloadCommand = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  program
    .command('reload')
    .description('all processes read the files of kinds again, and use them if all can')
    .action(async () => {
      try {
        const outcome = await (await c.client()).reloadKinds({ signal: c.signal })
        return await (c.isJson ? c.printJson(outcome) : c.print(reloadedLines(outcome).join('\n')))
      } catch (error) {
        if (c.isJson || !(error instanceof ApiError) || error.code !== 'KINDS_NOT_LOADED') throw error
        c.tell('The kinds stay as they are:')
        for (const { path, problem } of error.problem.problems ?? [])
          c.tell(`  ${oneLine(path)}: ${oneLine(problem)}`)
        return exitWith(EXIT.failed)
      }
    })
}
