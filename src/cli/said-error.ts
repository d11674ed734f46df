// What people and scripts are told when a command fails.
import { ApiError, reasonOf } from '../client/errors.ts'
import { visibleJson } from '../platform/visible.ts'
import { ConsoleError, EXIT, exitOf } from './exit.ts'
import { manyLines, oneLine } from './terminal/safe-text.ts'
import type { Style } from './terminal/style.ts'

const hintOf = (error: unknown): string | null => {
  if (error instanceof ConsoleError) return error.hint
  if (error instanceof ApiError && error.code === 'UNAUTHORIZED') return 'madhava login'
  return exitOf(error) === EXIT.unreachable
    ? 'madhava server list shows the servers; madhava start starts one on this machine'
    : null
}

const messageOf = (error: unknown): string => {
  if (error instanceof ApiError) return `${error.problem.detail || error.problem.title} (${error.code})`
  return error instanceof ConsoleError ? error.message : reasonOf(error)
}

/** For people, with a line break at its end; '' for an end without a message. */
export const errorText = (error: unknown, { red, dim }: Style): string => {
  const message = messageOf(error)
  if (message === '') return ''
  const problems = error instanceof ApiError ? (error.problem.problems ?? []) : []
  const hint = hintOf(error)
  return [
    `${red('madhava:')} ${manyLines(message)}`,
    ...problems
      // one problem alone often stands in the message
      .filter(({ problem }) => !message.includes(problem))
      .map(({ path, problem }) => `  ${oneLine(path)}: ${oneLine(problem)}`),
    ...(hint === null ? [] : [dim(`  ${oneLine(hint)}`)]),
    '',
  ].join('\n')
}

/** For scripts: one JSON document on a line; '' as above. */
export const errorJson = (error: unknown): string => {
  const message = error instanceof ApiError ? error.problem.detail : messageOf(error)
  if (message === '') return ''
  const told = {
    code: error instanceof ApiError ? error.code : null,
    message,
    exit: exitOf(error),
    ...(error instanceof ApiError && error.problem.problems ? { problems: error.problem.problems } : {}),
    ...(error instanceof ApiError && error.requestId !== null ? { requestId: error.requestId } : {}),
  }
  return `${visibleJson(JSON.stringify({ error: told }))}\n`
}
