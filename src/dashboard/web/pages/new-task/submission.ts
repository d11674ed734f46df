// The submission that the form makes: what it begins with, the options beside the params, and the same as a command
// for a shell. Pure.
import { type ExactJson, printExact } from '../../format/exact-json.ts'
import { type ExactObject, fieldOf, valueAt, withValueAt } from '../../format/exact-object.ts'
import { withoutUploads } from '../../format/file-rule.ts'
import type { KindRow } from '../../format/kind-list.ts'
import type { Control, Field, FieldGroup, FormEntry } from './schema-form.ts'

/** A kind's own example, but for its files. */
export const submissionOf = ({ name, example }: Pick<KindRow, 'name' | 'example'>): ExactObject => ({
  kind: name,
  params: withoutUploads(example),
})

/** What a kind sets by itself is left out, and so are times that are over. */
const OF_KIND = ['maxAttempts', 'retry', 'limits'] as const
const TIMES = ['notBefore', 'expiresAt'] as const

/** A known task, to be submitted as a new one. @param now milliseconds since 1970 */
export const submissionFrom = (task: ExactJson, kind: ExactJson | undefined, now: number): ExactObject => {
  let made: ExactJson = { kind: fieldOf(task, 'kind') ?? '', params: fieldOf(task, 'params') ?? null }
  const take = (name: string): void => {
    made = withValueAt(made, [name], fieldOf(task, name)) as ExactJson
  }
  for (const name of ['title', 'description']) if ((fieldOf(task, name) ?? null) !== null) take(name)
  if (fieldOf(task, 'priority') !== DEFAULT_PRIORITY) take('priority')
  for (const name of TIMES) {
    const at = fieldOf(task, name)
    if (typeof at === 'string' && Date.parse(at) > now) take(name)
  }
  for (const name of OF_KIND) {
    const [own, usual] = [fieldOf(task, name), fieldOf(kind, name)]
    if (own !== undefined && printExact(own) !== printExact(usual ?? null)) take(name)
  }
  return made as ExactObject
}

const DEFAULT_PRIORITY = 5

export const OPTION_NAMES = [
  'title',
  'description',
  'priority',
  'notBefore',
  'expiresAt',
  'maxAttempts',
  'retry.delaySeconds',
  'retry.factor',
  'retry.maxDelaySeconds',
  'retry.retryOn',
  'limits.softSeconds',
  'limits.hardSeconds',
] as const
export type OptionName = (typeof OPTION_NAMES)[number]
export type OptionWords = Readonly<Record<OptionName, { label: string; help: string }>>

const CONTROLS: Partial<Record<OptionName, Control>> = {
  title: 'text',
  description: 'text',
  priority: 'integer',
  notBefore: 'instant',
  expiresAt: 'instant',
  maxAttempts: 'integer',
  'retry.retryOn': 'list',
}
const BOUNDS: Partial<Record<OptionName, [string, string]>> = {
  priority: ['0', '9'],
  maxAttempts: ['1', '1000'],
}

/** The options as fields. @param kind whose own values stand where nothing is given */
export const optionsOf = (
  kind: ExactJson | undefined,
  words: OptionWords,
  groups: Readonly<Record<'retry' | 'limits', { label: string; help: string }>>,
): FormEntry[] => {
  const fieldFor = (name: OptionName): Field => {
    const path = name.split('.')
    const field: Field = {
      path,
      ...words[name],
      control: CONTROLS[name] ?? 'number',
      isRequired: false,
      takesNull: false,
      fallback: name === 'priority' ? DEFAULT_PRIORITY : (valueAt(kind, path) ?? undefined),
      choices: [],
      least: BOUNDS[name]?.[0] ?? null,
      most: BOUNDS[name]?.[1] ?? null,
      isLong: name === 'description',
      item: null,
      file: null,
      isInOptional: path.length > 1,
    }
    return name === 'retry.retryOn'
      ? { ...field, item: { ...field, control: 'text', isRequired: true } }
      : field
  }
  const inGroup = (group: 'retry' | 'limits'): FieldGroup => ({
    path: [group],
    ...groups[group],
    fields: OPTION_NAMES.filter(name => name.startsWith(`${group}.`)).map(fieldFor),
  })
  const single = OPTION_NAMES.filter(name => !name.includes('.')).map(fieldFor)
  return [...single, inGroup('retry'), inGroup('limits')]
}

/** For a POSIX shell: whatever stands in it is one word. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** @param to where it is sent; `login`: the dashboard, which asks for the password */
export const asCurl = (
  submission: ExactJson,
  { url, login }: { url: string; login: string | null },
): string =>
  [
    `curl -X POST ${quoted(url)}`,
    ...(login === null ? [] : [`-u ${quoted(login)}`]),
    "-H 'Content-Type: application/json'",
    // not --data: that would read a file where the text begins with @
    `--data-raw ${quoted(printExact(submission, ''))}`,
  ].join(' \\\n  ')

/** REST on its own port, by the address that its process gives; by way of the dashboard where none is known. */
export const addressOfApi = (
  processes: readonly { role: string; alive: boolean; address: string | null }[] | null,
  { hostname, origin, login }: { hostname: string; origin: string; login: string },
): { url: string; login: string | null } => {
  const api = processes?.find(({ role, alive, address }) => role === 'api' && alive && address !== null)
  const [, host = '', port] = /^(.*):(\d{1,5})$/.exec(api?.address ?? '') ?? []
  if (port === undefined) return { url: `${origin}/api/tasks`, login }
  const isAny = ['0.0.0.0', '[::]', '::'].includes(host)
  return { url: `http://${isAny ? hostname : host}:${port}/tasks`, login: null }
}
