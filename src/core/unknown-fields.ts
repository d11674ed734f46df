// Error messages for unknown fields: the first few, each with the nearest known name. Pure.
import type { z } from 'zod'
import { cutText } from './cut-text.ts'
import { nearest } from './nearest.ts'

/** How many fields one message names; a body can hold a hundred thousand. */
const NAMED_MAX = 5
const KNOWN_MAX = 30

const knownIn = (schema: unknown): string[] => {
  const shape = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape
  return shape ? Object.keys(shape) : []
}

const shown = (name: string): string => JSON.stringify(name.length > 64 ? `${cutText(name, 63)}…` : name)

/** `unknown field "x" (did you mean "y"?); known are ...`; `known` may be empty. */
export const unknownFieldsText = (names: readonly string[], known: readonly string[]): string => {
  const words = names.slice(0, NAMED_MAX).map(name => {
    const near = nearest(name, known)
    return near === null ? shown(name) : `${shown(name)} (did you mean ${shown(near)}?)`
  })
  const more = names.length - words.length
  const all = more > 0 ? `${words.join(', ')} and ${more} more` : words.join(', ')
  const list =
    known.length === 0 || known.length > KNOWN_MAX ? '' : `; known are ${known.map(shown).join(', ')}`
  return `unknown field${names.length > 1 ? 's' : ''} ${all}${list}`
}

/** For `schema.safeParse(value, { error: explainUnknownFields })`. All other problems keep zod's text. */
export const explainUnknownFields: z.core.$ZodErrorMap = issue =>
  issue.code === 'unrecognized_keys' ? unknownFieldsText(issue.keys, knownIn(issue.inst)) : undefined
