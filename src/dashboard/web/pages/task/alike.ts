// Which group of failures a task's error belongs to, of those that the overview tells. Pure.
import type { FailureGroup } from '../../state/answers.ts'

/** Characters of a message that the patterns are made of, and of a pattern. */
const LOOKED_AT = 400
const PATTERN_LENGTH = 200

/** Whether the message is the pattern with something in the place of each ellipsis. */
export const fitsPattern = (message: string, pattern: string): boolean => {
  const text = message.slice(0, LOOKED_AT).replace(/\s+/g, ' ').trim()
  const parts = pattern.split('…')
  let at = 0
  for (const [place, part] of parts.entries()) {
    const found = text.indexOf(part, at)
    if (found < 0 || (place === 0 && found > 0)) return false
    at = found + part.length
  }
  // the end of a long pattern is cut off
  return pattern.length >= PATTERN_LENGTH - 1 || text.endsWith(parts.at(-1) ?? '')
}

const literalLength = (pattern: string): number => pattern.replaceAll('…', '').length

/** The group that fits best; null: none of them does. */
export const groupFor = (
  groups: readonly FailureGroup[],
  task: { id: string; kind: string; error: { code: string; message: string } | null },
): FailureGroup | null => {
  const { error } = task
  if (!error) return null
  const own = groups.find(({ example }) => example.id === task.id)
  if (own) return own
  const fitting = groups.filter(
    ({ kind, error: { code, pattern } }) =>
      kind === task.kind && code === error.code && pattern !== null && fitsPattern(error.message, pattern),
  )
  return (
    fitting.toSorted(
      (a, b) => literalLength(b.error.pattern ?? '') - literalLength(a.error.pattern ?? ''),
    )[0] ?? null
  )
}

/** The list of tasks that ended the same way, for an error in none of the groups. */
export const alikeFilter = (kind: string, { code, message }: { code: string; message: string }) => ({
  status: 'FAILURE',
  kind,
  errorCode: code,
  // the server makes the pattern of a message as long as a filter may be
  ...(message.length <= PATTERN_LENGTH ? { errorLike: message } : {}),
})
