// The kinds that a process knows, by name. No I/O: load-kinds reads the files.
import { cutText } from './cut-text.ts'
import { MadhavaError } from './errors.ts'
import type { NamedKind } from './kind.ts'
import type { KindTrouble } from './kind-trouble.ts'
import { nearest } from './nearest.ts'

/** How many kinds an error lists. */
const KINDS_TOLD = 20

/** The kinds that this process knows, by name. */
export interface Kinds {
  names(): string[]
  /** Those that workers run. */
  forWorkers(): string[]
  /** Whether people do its tasks; false for a name that is not known. */
  isForPeople(name: string): boolean
  /** @throws KIND_UNKNOWN; KIND_IN_TROUBLE for a kind whose file cannot be used */
  get(name: string): NamedKind
  list(): NamedKind[]
  /**
   * Kinds whose files cannot be used. `names` has none of them, except where a file has the name of a built-in kind.
   */
  troubles(): readonly KindTrouble[]
  /** What the kind's file was when it was read (KindSet.codes); null where that is not known. */
  codeOf(name: string): string | null
}

/** @throws KIND_INVALID when two kinds have one name */
export const createKinds = (
  list: readonly NamedKind[],
  troubles: readonly KindTrouble[] = [],
  codes: ReadonlyMap<string, string> = new Map(),
): Kinds => {
  const byName = new Map<string, NamedKind>()
  for (const kind of list) {
    if (byName.has(kind.name))
      throw new MadhavaError('KIND_INVALID', `Two files define the kind ${kind.name}; rename one of them`)
    byName.set(kind.name, kind)
  }
  const names = [...byName.keys()].sort()
  const more = names.length - KINDS_TOLD
  const known =
    names.length === 0
      ? 'There are none at all: KINDS_DIR names a folder of kinds, and BUILT_IN_KINDS leaves the others out'
      : `There are ${names.slice(0, KINDS_TOLD).join(', ')}${more > 0 ? ` and ${more} more (GET /kinds)` : ''}`
  const unknown = (name: string): string => {
    const near = nearest(name, names)
    const meant = near === null ? '' : `Did you mean ${near}? `
    return `There is no kind ${JSON.stringify(cutText(name, 64))}. ${meant}${known}`
  }
  return {
    names: () => names,
    forWorkers: () => names.filter(name => byName.get(name)?.doneBy !== 'people'),
    isForPeople: name => byName.get(name)?.doneBy === 'people',
    troubles: () => troubles,
    codeOf: name => codes.get(name) ?? null,
    list: () => names.flatMap(name => byName.get(name) ?? []),
    get: name => {
      const kind = byName.get(name)
      if (kind) return kind
      const trouble = troubles.find(one => one.name === name)
      if (trouble)
        throw new MadhavaError(
          'KIND_IN_TROUBLE',
          `The kind ${name} cannot be run: ${trouble.file}: ${trouble.reason}`,
        )
      throw new MadhavaError('KIND_UNKNOWN', unknown(name), {
        detail: { kinds: names },
      })
    },
  }
}
