// Bounds how much of an error reaches a client, at every API: an answer must not grow with a hostile request. Pure.

/** Characters, and entries of `detail.problems`. `all`: characters of all entries together. */
const MOST = { message: 2_000, problems: 100, path: 256, problem: 500, all: 16_000 }

/** The text, or its beginning followed by dots, never cut inside a character. */
export const boundedText = (text: string, most: number = MOST.message): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`

const boundedProblem = (entry: unknown): unknown => {
  if (typeof entry === 'string') return boundedText(entry, MOST.problem)
  if (typeof entry !== 'object' || entry === null) return entry
  const { path, problem } = entry as { path?: unknown; problem?: unknown }
  if (typeof path !== 'string' || typeof problem !== 'string') return entry
  return { ...entry, path: boundedText(path, MOST.path), problem: boundedText(problem, MOST.problem) }
}

/** The detail with fewer and shorter problems. Its other fields stay. */
export const boundedDetail = (detail: unknown): unknown => {
  if (typeof detail !== 'object' || detail === null || !('problems' in detail)) return detail
  if (!Array.isArray(detail.problems)) return detail
  const problems: unknown[] = []
  let room = MOST.all
  for (const entry of detail.problems.slice(0, MOST.problems)) {
    const bounded = boundedProblem(entry)
    room -= JSON.stringify(bounded)?.length ?? 0
    if (room < 0 && problems.length > 0) break
    problems.push(bounded)
  }
  return { ...detail, problems }
}
