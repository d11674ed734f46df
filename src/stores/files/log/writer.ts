// The calls to the disk that every task costs, many at a stretch: taking claims with a look at the record, writing state
// files, showing them. Done here, or in a thread of its own (threaded-writer.ts).
import { existsSync, symlinkSync } from 'node:fs'
import type { Disk } from '../disk.ts'
import { readSmall } from '../disk.ts'
import { isErrno } from '../errno.ts'

/** A state file on its way. */
export interface Draft {
  /** The name that it is written under first. */
  aside: string
  file: string
  text: string
  /** Not shown where the name is taken; else it replaces what is there. */
  once: boolean
  /** A file that goes when it is shown: the claim that it was written under. */
  release: string | null
}

/** A claim to be taken. */
export interface Take {
  /** Where the claim stands, and what it says. */
  claim: string
  target: string
  /** The task's state file, and where a cancel request for it would stand: both are read once the claim is taken. */
  file: string
  cancelRequest: string
}

export type TakeResult =
  | { taken: false }
  /** `text`: null where the state file has to be looked at more closely. */
  | { taken: true; text: string | null; mayHaveRequest: boolean }

/** What became of a draft: shown or not, or what went wrong. */
export type Shown = boolean | Error

/** Answers about many come in the order of what was given. */
export interface Writer {
  /** Works while this thread does something else. */
  readonly apart: boolean
  /** @throws what the disk says; a claim that stands is no error */
  take(take: Take): Promise<TakeResult>
  /** Writes them aside. Null: done; else what went wrong, and nothing is left behind. */
  write(drafts: readonly Draft[]): Promise<(Error | null)[]>
  /** False: the name was taken. Whatever is not shown is taken away. */
  show(drafts: readonly Draft[]): Promise<Shown[]>
  /** Takes away what was written aside. */
  discard(drafts: readonly Draft[]): Promise<void>
  close(): Promise<void>
}

type WriterDisk = Pick<Disk, 'write' | 'rename' | 'link' | 'unlink'>

/** False when the name is taken. @throws what else the disk says */
export const makeSymlink = (target: string, file: string): boolean => {
  try {
    symlinkSync(target, file)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

const readQuietly = (file: string): string | null => {
  try {
    return readSmall(file)
  } catch {
    return null
  }
}

/** A file written aside that cannot even be removed is found by the sweep. */
export const takeAway = (disk: WriterDisk, file: string): void => {
  try {
    disk.unlink(file)
  } catch {
    // the caller is told what went wrong before
  }
}

/** Like the claims of other tasks it is no part of what a power cut must leave. @throws what the disk says */
export const takeClaim = ({ claim, target, file, cancelRequest }: Take): TakeResult => {
  if (!makeSymlink(target, claim)) return { taken: false }
  return { taken: true, text: readQuietly(file), mayHaveRequest: existsSync(cancelRequest) }
}

export const writeAside = (
  disk: WriterDisk,
  { aside, text }: Pick<Draft, 'aside' | 'text'>,
): Error | null => {
  try {
    disk.write(aside, text)
    return null
  } catch (error) {
    takeAway(disk, aside)
    return error as Error
  }
}

export const showDraft = (disk: WriterDisk, { aside, file, once, release }: Omit<Draft, 'text'>): Shown => {
  try {
    if (once) {
      const made = disk.link(aside, file)
      disk.unlink(aside)
      return made
    }
    disk.rename(aside, file)
  } catch (error) {
    takeAway(disk, aside)
    return error as Error
  }
  // one that stays is in nobody's way: its number is that of a record which is not running
  if (release !== null) takeAway(disk, release)
  return true
}

/** Does it on the spot. */
export const createWriter = (disk: WriterDisk): Writer => ({
  apart: false,
  take: async take => takeClaim(take),
  write: async drafts => drafts.map(draft => writeAside(disk, draft)),
  show: async drafts => drafts.map(draft => showDraft(disk, draft)),
  async discard(drafts) {
    for (const { aside } of drafts) takeAway(disk, aside)
  },
  async close() {},
})
