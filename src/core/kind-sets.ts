// The kinds that a process knows may change while it runs: each reading of the folders gives a set, and one of them is
// in use. Whoever holds `kinds` always asks the set in use. No I/O: load-kinds reads the folders.
import { createHash } from 'node:crypto'
import type { Kinds } from './kinds.ts'

/** What one reading of the folders has given. */
export interface KindSet {
  /** Of this set for good. */
  kinds: Kinds
  /** Names of those that are Madhava's own. */
  builtIn: ReadonlySet<string>
  /** The file that a thread loads, by the kind's name. */
  files: ReadonlyMap<string, string>
  /**
   * What each file was when it was read, by the kind's name, in hex: SHA-256 of its bytes, or, if it imports others by
   * relative paths, of the list of all of them (platform/module-files.ts). A kind is missing that cannot be read.
   */
  codes: ReadonlyMap<string, string>
}

const codesOfSets = new WeakMap<KindSet, string>()

/** Equal for two processes that have read the same files, and the same troubles: 12 hex digits. */
export const codeOfSet = (set: KindSet): string => {
  const known = codesOfSets.get(set)
  if (known !== undefined) return known
  const kinds = set.kinds.names().map(name => [name, set.codes.get(name) ?? null])
  const troubles = set.kinds.troubles().map(({ file, reason }) => [file, reason])
  const code = createHash('sha256')
    .update(JSON.stringify([kinds, troubles]))
    .digest('hex')
    .slice(0, 12)
  codesOfSets.set(set, code)
  return code
}

/** Reads the folders, and frees what a set keeps on the disk. */
export interface KindReader {
  /** A file that cannot be used is in `kinds.troubles()`. @throws KIND_INVALID for a folder or a built-in kind */
  read(): Promise<KindSet>
  /** It is no longer in use and never will be, and nothing runs with it. Never rejects. */
  release(set: KindSet): Promise<void>
}

export interface KindSets {
  /** Of the set in use. */
  readonly kinds: Kinds
  /** The set in use. */
  current(): KindSet
  /** Reads the folders again; the set in use stays. @throws KIND_INVALID */
  read(): Promise<KindSet>
  /** Puts a set in use. What runs goes on with the one that it began with. */
  use(set: KindSet): void
  /** A set that was read and is not to be used. */
  drop(set: KindSet): void
  /** Something runs with it: what it keeps on the disk stays until the returned function is called. */
  hold(set: KindSet): () => void
  /** Called after each change, in the order of the calls. Returns the end of it. */
  onUse(listener: (set: KindSet, before: KindSet) => void): () => void
}

export const createKindSets = (first: KindSet, reader: KindReader): KindSets => {
  let inUse = first
  const listeners = new Set<(set: KindSet, before: KindSet) => void>()
  const kinds: Kinds = {
    names: () => inUse.kinds.names(),
    forWorkers: () => inUse.kinds.forWorkers(),
    isForPeople: name => inUse.kinds.isForPeople(name),
    get: name => inUse.kinds.get(name),
    list: () => inUse.kinds.list(),
    troubles: () => inUse.kinds.troubles(),
    codeOf: name => inUse.kinds.codeOf(name),
  }
  /** By set: how many hold it. */
  const holders = new Map<KindSet, number>()
  /** Out of use for good, and still held. */
  const over = new Set<KindSet>()
  const end = (set: KindSet): void => {
    if (holders.has(set)) over.add(set)
    else void reader.release(set)
  }
  return {
    kinds,
    current: () => inUse,
    read: () => reader.read(),
    use(set) {
      const before = inUse
      if (set === before) return
      inUse = set
      for (const listener of listeners) listener(set, before)
      end(before)
    },
    drop: end,
    hold(set) {
      holders.set(set, (holders.get(set) ?? 0) + 1)
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        const rest = (holders.get(set) ?? 1) - 1
        if (rest > 0) return void holders.set(set, rest)
        holders.delete(set)
        if (over.delete(set)) void reader.release(set)
      }
    },
    onUse(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
