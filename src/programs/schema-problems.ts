// What a value has wrong by a JSON Schema, as problems with their paths, in the words of other kinds. Pure.
import type { ErrorObject } from 'ajv'
import { cutText } from '../core/cut-text.ts'
import { unknownFieldsText } from '../core/unknown-fields.ts'

export interface SchemaProblem {
  path: string[]
  message: string
}

/** So many are told. */
const PROBLEMS_MAX = 100
const CHOICES_LENGTH = 300

const stepsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))

const listed = (choices: readonly unknown[]): string =>
  cutText(choices.map(choice => JSON.stringify(choice)).join(', '), CHOICES_LENGTH)

const fieldsIn = (schema: unknown): string[] =>
  Object.keys((schema as { properties?: object } | undefined)?.properties ?? {})

const messageOf = ({ keyword, params, message = 'is not valid' }: ErrorObject): string => {
  if (keyword === 'enum')
    return `must be one of ${listed((params as { allowedValues: unknown[] }).allowedValues)}`
  if (keyword === 'const') return `must be ${listed([(params as { allowedValue: unknown }).allowedValue])}`
  return message
}

const UNKNOWN: Readonly<Record<string, string>> = {
  additionalProperties: 'additionalProperty',
  unevaluatedProperties: 'unevaluatedProperty',
}
const isOfAlternatives = ({ keyword }: ErrorObject): boolean => keyword === 'anyOf' || keyword === 'oneOf'

/** Whether an error is about the value that another one is about, or about a part of it. */
const isWithin = (error: ErrorObject | undefined, other: ErrorObject): boolean =>
  error !== undefined && `${error.instancePath}/`.startsWith(`${other.instancePath}/`)

/**
 * The errors with those of alternatives put together. Ajv gives the errors of all alternatives first, and then one that
 * says that none fits: only types are told as `a or b`, and where an alternative went further, only how it went on.
 */
const joined = (errors: readonly ErrorObject[]): { error: ErrorObject; message: string }[] => {
  const told: { error: ErrorObject; message: string }[] = []
  for (const error of errors) {
    const { instancePath, params } = error
    // several alternatives of `oneOf` fit
    const fitting = (params as { passingSchemas?: unknown }).passingSchemas
    if (!isOfAlternatives(error) || fitting) {
      told.push({ error, message: messageOf(error) })
      continue
    }
    let from = told.length
    while (from > 0 && isWithin(told[from - 1]?.error, error)) from -= 1
    const inner = told.splice(from)
    const types = inner.filter(
      ({ error: { keyword, instancePath: path } }) => keyword === 'type' && path === instancePath,
    )
    const further = inner.filter(each => !types.includes(each))
    if (further.length > 0) told.push(...further)
    else {
      const names = types.map(({ error: { params: given } }) => String((given as { type: unknown }).type))
      const message = types.length > 0 ? `must be ${[...new Set(names)].join(' or ')}` : messageOf(error)
      told.push({ error, message })
    }
  }
  return told
}

/** In the order in which they were found, each once, the first hundred. Needs errors with their schemas (`verbose`). */
export const problemsOfErrors = (errors: readonly ErrorObject[]): SchemaProblem[] => {
  const problems = new Map<string, SchemaProblem>()
  const add = (path: string[], message: string): void => {
    if (problems.size < PROBLEMS_MAX) problems.set(JSON.stringify([path, message]), { path, message })
  }
  const unknown = new Map<string, { names: string[]; known: string[] }>()
  for (const { error, message } of joined(errors)) {
    const { instancePath, keyword, params, parentSchema } = error
    const field = UNKNOWN[keyword]
    if (field !== undefined) {
      const group = unknown.get(instancePath) ?? { names: [], known: fieldsIn(parentSchema) }
      unknown.set(instancePath, group)
      group.names.push(String((params as Record<string, unknown>)[field]))
    } else if (keyword === 'required')
      add(
        [...stepsOf(instancePath), String((params as { missingProperty: unknown }).missingProperty)],
        'is required',
      )
    else add(stepsOf(instancePath), message)
  }
  for (const [pointer, { names, known }] of unknown) add(stepsOf(pointer), unknownFieldsText(names, known))
  return [...problems.values()]
}
