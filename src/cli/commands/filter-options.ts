// The options that say which tasks are meant, as `GET /tasks` takes them.
import { type Command, InvalidArgumentError } from 'commander'
import type { Filter, Sort, Status } from '../../client/client.ts'
import { usage } from '../exit.ts'
import { readTime } from '../terminal/words.ts'

export interface FilterOptions {
  status?: string[]
  kind?: string[]
  owner?: string
  parent?: string
  search?: string
  from?: string
  to?: string
  errorCode?: string[]
  error?: string
  errorLike?: string
  finishedFrom?: string
  finishedTo?: string
}

export const STATUSES: readonly Status[] = [
  'PENDING',
  'STARTED',
  'PROGRESS',
  'RETRY',
  'SUCCESS',
  'FAILURE',
  'REVOKED',
]
export const SORTS: readonly Sort[] = ['createdAt', '-createdAt', 'finishedAt', '-finishedAt']

/** Several by commas, or by the option given several times. */
export const list = (text: string, before: string[] | undefined): string[] => [
  ...(before ?? []),
  ...text.split(',').filter(word => word !== ''),
]

/** A whole number. @returns a parser for commander */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`)
    return value
  }

/** A number of seconds. */
export const seconds = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > 1e9)
    throw new InvalidArgumentError('It is a number of seconds.')
  return value
}

const TIME = 'a time as 2026-01-31T12:00Z, or how long ago as 90s, 15m, 2h, 7d'

export const addFilterOptions = (command: Command): Command =>
  command
    .option('-s, --status <status>', 'PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE, REVOKED', list)
    .option('-k, --kind <kind>', 'one or more kinds', list)
    .option('--owner <account>', 'the name or the id of an account')
    .option('--parent <id>', 'the children of a task')
    .option('-q, --search <text>', 'a text in the id, the kind, the title or the description')
    .option('--from <time>', `created then or later: ${TIME}`)
    .option('--to <time>', 'created before')
    .option('--error-code <code>', 'the error has one of these codes', list)
    .option('--error <text>', 'a text in the message of the error')
    .option('--error-like <text>', 'the message but for numbers, ids and times')
    .option('--finished-from <time>', 'ended then or later')
    .option('--finished-to <time>', 'ended before')

const timeOf = (name: string, text: string, now: Date): string => {
  const time = readTime(text, now, 'ago')
  if (time === null) throw usage(`--${name} is ${TIME}, not ${JSON.stringify(text)}`)
  return time
}

/** @throws ConsoleError for a status or a time that is none */
export const filterOf = (options: FilterOptions, now: Date): Filter => {
  const status = options.status?.map(word => {
    const found = STATUSES.find(one => one === word.toUpperCase())
    if (!found) throw usage(`${JSON.stringify(word)} is no status`, STATUSES.join(', '))
    return found
  })
  const { kind, owner, parent, search, from, to, errorCode, error, errorLike, finishedFrom, finishedTo } =
    options
  return {
    ...(status ? { status } : {}),
    ...(kind ? { kind } : {}),
    ...(owner === undefined ? {} : { owner }),
    ...(parent === undefined ? {} : { parent }),
    ...(search === undefined ? {} : { q: search }),
    ...(from === undefined ? {} : { from: timeOf('from', from, now) }),
    ...(to === undefined ? {} : { to: timeOf('to', to, now) }),
    ...(errorCode ? { errorCode } : {}),
    ...(error === undefined ? {} : { error }),
    ...(errorLike === undefined ? {} : { errorLike }),
    ...(finishedFrom === undefined ? {} : { finishedFrom: timeOf('finished-from', finishedFrom, now) }),
    ...(finishedTo === undefined ? {} : { finishedTo: timeOf('finished-to', finishedTo, now) }),
  }
}
