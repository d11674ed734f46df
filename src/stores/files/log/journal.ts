// Journals: every process appends its changes to files of its own, `journal/<instance>.<n>.ndjson`, and reads
// those of all. They are the feed between processes and over restarts; the state files stay the truth.
import { renameSync, rmSync, statSync, truncateSync } from 'node:fs'
import path from 'node:path'
import type { Appender, Disk } from '../disk.ts'
import { toLine } from '../records/state-file.ts'
import { createJournalFiles, type JournalEntry, type JournalFile } from './journal-files.ts'

/** `bytes`: of its line. */
type OnEntry = (entry: JournalEntry, bytes: number) => unknown

/** How far somebody has read: per instance the number of the journal and the bytes read of it. */
export type Positions = Record<string, [number: number, offset: number]>

export interface Journals {
  /** All of them or, when the disk refuses, none. */
  append(entries: readonly JournalEntry[]): void
  /**
   * Reads on from `positions` to the end of all journals, or to `until`. `positions` is moved on in place, so that
   * inside `onEntry` it stands after the entry; instances that left nothing behind are dropped from it.
   */
  read(positions: Positions, onEntry: (entry: JournalEntry) => void, until?: Positions): void
  /** As `read` to `until`, but ends after an entry to which `stop` is answered, and answers true then. */
  readSome(
    positions: Positions,
    onEntry: (entry: JournalEntry, bytes: number) => 'stop' | null,
    until: Positions,
  ): boolean
  /** The end of all journals; from here on `follow` tells what comes. */
  begin(): Positions
  /** As `read` to the end, for the one reader that has called `begin`: our own entries come from memory. */
  follow(positions: Positions, onEntry: (entry: JournalEntry) => void): void
  /** The end of all journals as they stand. */
  end(): Positions
  /** The journals that a process has written and that are not cut. */
  filesOf(instance: string): string[]
  /** False when entries after these positions are gone. */
  holds(positions: Positions): boolean
  /** Removes old journals of which `keep` says so. */
  cut(keep: {
    entries: number
    ageMs: number
    bytes: number
    now: number
    isAlive: (i: string) => boolean
  }): void
  close(): void
}

/** A journal is closed and the next one begun at this size, so that old ones can be cut. */
const JOURNAL_BYTES = 4 * 1024 * 1024
/** How long the cut of a cut journal stays; a cursor that is older than this is too old in any case. */
export const CUT_KEPT_MS = 24 * 3_600_000

export const createJournals = (folder: string, instance: string, disk: Disk): Journals => {
  const { list, readLines, sizeOf, countEntries, forget } = createJournalFiles(folder)
  let current: { appender: Appender; number: number } | null = null
  /** Our own entries that `follow` has not told yet, each with the place behind it; null while nobody follows. */
  let own: { entry: JournalEntry; behind: Positions[string] }[] | null = null

  const lastNumber = (): number => {
    const { parts, cuts } = list()
    const mine = [...parts, ...cuts].filter(part => part.instance === instance)
    return Math.max(0, ...mine.map(part => part.number))
  }

  const read = (positions: Positions, onEntry: OnEntry, until?: Positions, except?: string): boolean => {
    const { parts, cuts } = list()
    for (const part of parts) {
      const { instance: of, number: at } = part
      if (of === except) continue
      const bound = until?.[of]
      if (until && (!bound || at > bound[0])) continue
      const position = positions[of]
      if (position && at < position[0]) continue
      const offset = position?.[0] === at ? position[1] : 0
      // a journal that has a successor in the listing had its end before the listing: nothing is skipped
      positions[of] = [at, offset]
      const end = bound?.[0] === at ? bound[1] : sizeOf(part)
      const stopped = readLines(part, offset, end, (entry, behind, bytes) => {
        positions[of] = [at, behind]
        return onEntry(entry, bytes)
      })
      if (stopped) return true
    }
    const present = new Set([...parts, ...cuts].map(part => part.instance))
    for (const of of Object.keys(positions)) if (!present.has(of)) delete positions[of]
    return false
  }

  const end = (): Positions => {
    const { parts, cuts } = list()
    const positions: Positions = {}
    for (const cut of cuts) positions[cut.instance] = [cut.number, cut.size]
    for (const part of parts) positions[part.instance] = [part.number, sizeOf(part)]
    return positions
  }

  return {
    append(entries) {
      if (current === null || current.appender.size >= JOURNAL_BYTES) {
        current?.appender.close()
        // a recovery under this name may have written before
        const number = (current?.number ?? lastNumber()) + 1
        current = { number, appender: disk.append(path.join(folder, `${instance}.${number}.ndjson`)) }
      }
      const { appender, number } = current
      let behind = appender.size
      const lines = entries.map(entry => Buffer.from(toLine(entry)))
      appender.append(Buffer.concat(lines))
      for (const [at, entry] of entries.entries()) {
        behind += lines[at]?.length ?? 0
        own?.push({ entry, behind: [number, behind] })
      }
    },
    begin() {
      own = []
      return end()
    },
    follow(positions, onEntry) {
      const mine = own ?? []
      own = []
      for (const { entry, behind } of mine) {
        positions[instance] = behind
        onEntry(entry)
      }
      read(positions, entry => void onEntry(entry), undefined, instance)
    },
    read(positions, onEntry, until) {
      read(positions, entry => void onEntry(entry), until)
    },
    readSome: (positions, onEntry, until) => read(positions, onEntry, until),
    end,
    filesOf: of => list().parts.flatMap(part => (part.instance === of ? [part.file] : [])),
    holds(positions) {
      const { parts, cuts } = list()
      // whatever was cut must lie before the positions; whatever they name must still be there, or be a cut
      const cutUnread = cuts.some(cut => {
        const [at, offset] = positions[cut.instance] ?? [-1, 0]
        return cut.number > at || (cut.number === at && cut.size > offset)
      })
      if (cutUnread) return false
      return Object.entries(positions).every(([of, [at, offset]]) => {
        const same = (part: JournalFile) => part.instance === of && part.number === at
        const part = parts.find(same)
        return part ? offset <= sizeOf(part) : cuts.some(same)
      })
    },
    cut({ entries, ageMs, bytes, now, isAlive }) {
      const { parts, cuts } = list()
      const newest = new Map(parts.map(part => [part.instance, part.number]))
      const kept = { entries: 0, bytes: 0 }
      const youngestFirst = parts
        .flatMap(part => {
          const stat = statSync(part.file, { throwIfNoEntry: false })
          return stat ? [{ part, size: stat.size, at: stat.mtimeMs }] : []
        })
        .sort((a, b) => b.at - a.at)
      for (const { part, size: partSize, at } of youngestFirst) {
        // the one that a live process writes to is never cut
        const isOpen = newest.get(part.instance) === part.number && isAlive(part.instance)
        const enough = kept.entries >= entries && (now - at > ageMs || kept.bytes > bytes)
        if (enough && !isOpen) {
          // one step turns the journal into a cut whose name tells the size, so that a cursor at its end is good
          const cut = path.join(folder, `${part.instance}.${part.number}.${partSize}.cut`)
          renameSync(part.file, cut)
          truncateSync(cut)
          forget(part)
          continue
        }
        kept.entries += countEntries(part, partSize)
        kept.bytes += partSize
      }
      for (const cut of cuts) {
        const stat = statSync(cut.file, { throwIfNoEntry: false })
        // a cursor before the last cut of a process is too old in any case: the others say nothing more
        const isLast = !cuts.some(other => other.instance === cut.instance && other.number > cut.number)
        if (stat && (!isLast || now - stat.mtimeMs > CUT_KEPT_MS)) rmSync(cut.file, { force: true })
      }
    },
    close() {
      current?.appender.close()
      current = null
    },
  }
}
