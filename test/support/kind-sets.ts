// The kinds of a worker in a test, without a folder that they were read from.
import { createKindSets, type KindSet, type KindSets } from '../../src/core/kind-sets.ts'
import type { Kinds } from '../../src/core/kinds.ts'

/** One set of these kinds; `files` and `codes` by the kind's name. */
export const kindSetOf = (
  kinds: Kinds,
  files: Readonly<Record<string, string>>,
  codes: Readonly<Record<string, string>> = {},
): KindSet => ({
  kinds,
  builtIn: new Set(),
  files: new Map(Object.entries(files)),
  codes: new Map(Object.entries(codes)),
})

/** That set in use. Reading gives it again. */
export const kindSetsOf = (...set: Parameters<typeof kindSetOf>): KindSets => {
  const only = kindSetOf(...set)
  return createKindSets(only, { read: async () => only, release: async () => {} })
}
