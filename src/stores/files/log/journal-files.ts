// The files of the journals: which there are, their whole lines, how many entries they hold. It writes nothing.
import { closeSync, readdirSync, readSync, statSync } from 'node:fs'
import path from 'node:path'
import type { DocumentChange } from '../../../core/store.ts'
import type { TaskRecord } from '../../../core/task.ts'
import { openPlainSync } from '../../../platform/plain-file.ts'

/** A line of a journal. */
export type JournalEntry =
  | { type: 'task'; task: TaskRecord }
  | { type: 'revoke'; id: string; at: string }
  /** `claim`: the number under which it was removed, or LOST. Entries of earlier versions say neither owner nor kind. */
  | { type: 'removed'; id: string; claim: number; owner?: string | null; kind?: string }
  | Omit<DocumentChange, 'cursor'>

/** The task that an entry is about; null where it is about a document. */
export const taskIdOf = (entry: JournalEntry): string | null => {
  if (entry.type === 'document') return null
  return entry.type === 'task' ? entry.task.id : entry.id
}

/** Nobody removed it; its state file was broken. A task with this id may come again. */
export const LOST = -1

const CHUNK = 256 * 1024
/** Two changes of a folder within one tick of the file system's clock look like one. */
const TICK_MS = 100

/** A journal of a process. */
export interface JournalFile {
  instance: string
  number: number
  file: string
}
/** What is left of a journal that was cut: an empty file whose name has the size. */
export type CutJournal = JournalFile & { size: number }
export interface Listing {
  readonly parts: readonly JournalFile[]
  readonly cuts: readonly CutJournal[]
}

export interface JournalFiles {
  /** Journals, and what is left of those that were cut, each in the order of numbers. */
  list(): Listing
  /** Reads whole lines from `offset` to `end`, each with the offset behind it. True when it was stopped. */
  readLines(
    part: JournalFile,
    offset: number,
    end: number,
    onEntry: (entry: JournalEntry, offset: number, bytes: number) => unknown,
  ): boolean
  sizeOf(part: JournalFile): number
  /** Entries in a journal of this size. */
  countEntries(part: JournalFile, size: number): number
  /** The journal is cut: its entries are gone. */
  forget(part: JournalFile): void
}

export const createJournalFiles = (folder: string): JournalFiles => {
  let listed: (Listing & { mtimeMs: number; at: number }) | null = null

  const list = (): Listing => {
    const begun = Date.now()
    const { mtimeMs } = statSync(folder)
    // files that grow do not change their folder
    if (listed && listed.mtimeMs === mtimeMs && mtimeMs < listed.at - TICK_MS) return listed
    const parts: JournalFile[] = []
    const cuts: CutJournal[] = []
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      // a pipe would block this process, and the target of a link must not be read or cut
      if (!entry.isFile()) continue
      const { name } = entry
      const found = /^([0-9a-f]{12})\.(\d+)\.(?:ndjson|(\d+)\.cut)$/.exec(name)
      if (!found?.[1]) continue
      const part = { instance: found[1], number: Number(found[2]), file: path.join(folder, name) }
      if (found[3] === undefined) parts.push(part)
      else cuts.push({ ...part, size: Number(found[3]) })
    }
    const byNumber = (a: JournalFile, b: JournalFile) => a.number - b.number
    listed = { parts: parts.sort(byNumber), cuts: cuts.sort(byNumber), mtimeMs, at: begun }
    return listed
  }

  const readLines: JournalFiles['readLines'] = ({ file }, offset, end, onEntry) => {
    if (offset >= end) return false
    const { fd: from } = openPlainSync(file)
    try {
      let pending: Buffer[] = []
      let whole = offset
      for (let at = offset; at < end; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - at))
        const got = readSync(from, chunk, 0, chunk.length, at)
        if (got === 0) break
        at += got
        let bytes = chunk.subarray(0, got)
        for (let line = bytes.indexOf(10); line >= 0; line = bytes.indexOf(10)) {
          const text = Buffer.concat([...pending, bytes.subarray(0, line)])
          whole += text.length + 1
          pending = []
          bytes = bytes.subarray(line + 1)
          const entry = parse(text.toString('utf8'))
          if (entry && onEntry(entry, whole, text.length) === 'stop') return true
        }
        if (bytes.length > 0) pending.push(bytes)
      }
      return false
    } finally {
      closeSync(from)
    }
  }

  const sizeOf = (part: JournalFile): number => statSync(part.file, { throwIfNoEntry: false })?.size ?? 0
  /** Lines in a journal, counted on from the last time. */
  const counted = new Map<string, { size: number; lines: number }>()
  const countEntries: JournalFiles['countEntries'] = (part, size) => {
    const known = counted.get(part.file) ?? { size: 0, lines: 0 }
    if (size > known.size) {
      const bytes = readBytes(part.file, known.size, size)
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) known.lines += 1
      counted.set(part.file, { size, lines: known.lines })
    }
    return known.lines
  }

  return { list, readLines, sizeOf, countEntries, forget: part => void counted.delete(part.file) }
}

const readBytes = (file: string, start: number, end: number): Buffer => {
  const bytes = Buffer.allocUnsafe(end - start)
  const { fd } = openPlainSync(file)
  try {
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start))
  } finally {
    closeSync(fd)
  }
}

const parse = (line: string): JournalEntry | null => {
  try {
    return JSON.parse(line) as JournalEntry
  } catch {
    // the torn last line of a killed process, which was never acknowledged
    return null
  }
}
