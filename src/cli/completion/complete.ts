// What a word on the command line may become: commands, options, kinds and their params, ids of tasks, names of servers.
import type { Command, Option } from 'commander'
import type { Client } from '../../client/client.ts'
import { SORTS, STATUSES } from '../commands/filter-options.ts'
import { choicesOf, fieldsOf, type Schema, takesUpload, typesOf } from '../params/schema.ts'
import type { Settings } from '../settings/settings-file.ts'

export interface Completion {
  /** Whole words. */
  words: string[]
  /** Files of this machine may stand there too, behind `prefix`. */
  files: boolean
}

export interface CompletionDeps {
  program: Command
  settings(): Promise<Settings>
  /** Of the server that the line names; it answers soon or not at all. */
  client(server: string | undefined): Promise<Client>
  /** Ends asking. */
  signal: AbortSignal
}

const NOTHING: Completion = { words: [], files: false }
const HIDDEN = ['complete-line']

const optionNamed = (chain: readonly Command[], word: string): Option | undefined =>
  chain.flatMap(command => [...command.options]).find(({ long, short }) => long === word || short === word)

/** Commands that take the id of a task first. */
const TASK_COMMANDS = ['task', 'result', 'log', 'cancel', 'retry', 'purge', 'why', 'download']
/** Commands of the shared list that take ids of its items. */
const TODO_IDS = ['done', 'edit', 'reopen', 'rm']
const FINAL = ['SUCCESS', 'FAILURE', 'REVOKED'] as const
const STATUSES_OF: Readonly<Record<string, readonly (typeof STATUSES)[number][]>> = {
  cancel: ['PENDING', 'STARTED', 'PROGRESS', 'RETRY'],
  why: ['PENDING', 'RETRY'],
  retry: FINAL,
  purge: FINAL,
  result: ['SUCCESS', 'PROGRESS'],
}

const optionValues = async (
  { attributeName, long }: { attributeName: string; long: string },
  deps: CompletionDeps,
  server: string | undefined,
): Promise<Completion> => {
  if (long === '--server') return { words: Object.keys((await deps.settings()).servers), files: false }
  if (attributeName === 'status') return { words: [...STATUSES], files: false }
  if (attributeName === 'sort') return { words: [...SORTS], files: false }
  if (attributeName === 'output' || (attributeName === 'params' && long === '--params'))
    return { words: [], files: true }
  if (attributeName === 'kind') {
    const kinds = await (await deps.client(server)).kinds({ signal: deps.signal })
    return { words: kinds.map(({ name }) => name), files: false }
  }
  return NOTHING
}

/** Names of params and their values, as `digits=` and `method=plain`. */
const paramWords = (schema: unknown, word: string, given: readonly string[]): Completion => {
  const root = (typeof schema === 'object' && schema !== null ? schema : {}) as Schema
  const fields = fieldsOf(root, root)
  const [, name = '', value] = /^([^=:]*)=(.*)$/s.exec(word) ?? []
  if (value === undefined) {
    const used = new Set(given.map(one => one.split(/:?=/)[0]))
    return {
      words: [...fields.keys()].filter(field => !used.has(field)).map(field => `${field}=`),
      files: false,
    }
  }
  const field = fields.get(name)
  if (!field) return NOTHING
  if (takesUpload(field, root))
    return value.startsWith('@') ? { words: [], files: true } : { words: [`${name}=@`], files: false }
  const values = typesOf(field, root).has('boolean') ? [true, false] : (choicesOf(field, root) ?? [])
  return { words: values.map(one => `${name}=${String(one)}`), files: false }
}

const argumentWords = async (
  name: string,
  parent: string,
  given: readonly string[],
  word: string,
  deps: CompletionDeps,
  server: string | undefined,
): Promise<Completion> => {
  const { signal } = deps
  if (parent === 'server' && ['use', 'remove'].includes(name) && given.length === 0)
    return { words: Object.keys((await deps.settings()).servers), files: false }
  if (name === 'completion' && given.length === 0) return { words: ['bash', 'zsh'], files: false }
  if (name === 'upload') return { words: [], files: true }
  if (name === 'submit' || name === 'kinds') {
    if (name === 'kinds' && given.length > 0) return NOTHING
    const kinds = await (await deps.client(server)).kinds({ signal })
    if (given.length === 0) return { words: kinds.map(kind => kind.name), files: false }
    return paramWords(kinds.find(kind => kind.name === given[0])?.params, word, given.slice(1))
  }
  if (parent === 'dead' && given.length === 0) {
    const { tasks, messages } = await (await deps.client(server)).dead({ limit: 50, signal })
    return { words: [...tasks.map(({ task }) => task.id), ...messages.map(({ id }) => id)], files: false }
  }
  if (parent === 'todo' && TODO_IDS.includes(name)) {
    const ended = name === 'reopen'
    const words: string[] = []
    for await (const { id } of (await deps.client(server)).todo.list({ ended, signal })) {
      if (!given.includes(id)) words.push(id)
      if (words.length === 50) break
    }
    return { words, files: false }
  }
  if (!TASK_COMMANDS.includes(name)) return NOTHING
  const client = await deps.client(server)
  const many = ['cancel', 'retry', 'purge'].includes(name)
  if (given.length === 0 || many) {
    const status = STATUSES_OF[name]
    const { tasks } = await client.list(status ? { status } : {}, { limit: 50, signal })
    return { words: tasks.map(({ id }) => id).filter(id => !given.includes(id)), files: false }
  }
  if (name === 'download' && given.length === 1 && given[0] !== undefined)
    return { words: (await client.artifacts(given[0], { signal })).map(file => file.name), files: false }
  return NOTHING
}

/**
 * @param words before the word, without the program's name
 * @param word that is being typed; '' where a new one begins
 * @throws what the client throws: nobody asks for a completion to read an error
 */
export const complete = async (
  words: readonly string[],
  word: string,
  deps: CompletionDeps,
): Promise<Completion> => {
  const chain: Command[] = [deps.program]
  const given: string[] = []
  let wanting: Option | null = null
  let server: string | undefined
  let onlyArguments = false
  for (const one of words) {
    const [current] = [chain.at(-1) as Command]
    if (wanting) {
      if (wanting.long === '--server') server = one
      wanting = null
    } else if (one === '--') onlyArguments = true
    else if (one.startsWith('-') && !onlyArguments) {
      const [name = '', value] = one.split(/=(.*)/s)
      const option = optionNamed(chain, name)
      if (option?.long === '--server' && value !== undefined) server = value
      if (option?.required && value === undefined) wanting = option
    } else {
      const next = current.commands.find(command => command.name() === one || command.aliases().includes(one))
      if (next && given.length === 0) chain.push(next)
      else given.push(one)
    }
  }
  const current = chain.at(-1) as Command
  if (wanting)
    return optionValues({ attributeName: wanting.attributeName(), long: wanting.long ?? '' }, deps, server)
  const assigned = /^(--[\w-]+)=/.exec(word)
  if (assigned && !onlyArguments) {
    const option = optionNamed(chain, assigned[1] ?? '')
    if (!option) return NOTHING
    const { words: values, files } = await optionValues(
      { attributeName: option.attributeName(), long: option.long ?? '' },
      deps,
      server,
    )
    return { words: values.map(value => `${assigned[1]}=${value}`), files }
  }
  if (word.startsWith('-') && !onlyArguments)
    return {
      words: [
        ...chain.flatMap(command =>
          command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? ''),
        ),
        '--help',
      ],
      files: false,
    }
  if (current.commands.length > 0 && given.length === 0)
    return {
      words: [
        ...current.commands.map(command => command.name()).filter(name => !HIDDEN.includes(name)),
        ...(chain.length === 1 ? ['help'] : []),
      ],
      files: false,
    }
  return argumentWords(current.name(), chain.at(-2)?.name() ?? '', given, word, deps, server)
}

/** Those that begin as the word does, each once. What a shell could take for more than a word is left out. */
export const fitting = ({ words }: Completion, word: string): string[] =>
  [...new Set(words)].filter(
    one => one.startsWith(word) && one !== '' && !/[\p{Cc}\p{Cf}\s"'`$\\;&|<>(){}*?[\]!#~]/u.test(one),
  )
