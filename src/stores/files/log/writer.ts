// The calls to the disk that every task costs, many at a time: taking a claim and reading its record, writing a state
// file under a temporary name, renaming it into place. Done here, or in a thread of its own (threaded-writer.ts).
import { existsSync, symlinkSync } from 'node:fs'
import type { Disk } from '../disk.ts'
import { readSmall } from '../disk.ts'
import { isErrno } from '../errno.ts'

/** A state file on its way. */
export interface Draft {
  /** The name that it is written under first. */
  tmpFile: string
  file: string
  text: string
  /** For a new task: where the name is taken, the file stays as it is. Otherwise it is replaced. */
  once: boolean
  /** A file to remove once this one is in place: the claim that it was written under. */
  release: string | null
}

/** A claim to be taken. */
export interface Take {
  /** The path of the claim, and its content. */
  claim: string
  target: string
  /** The task's state file, and the path of a cancel request for it. Both are read once the claim is taken. */
  file: string
  cancelRequest: string
}

export type TakeResult =
  | { taken: false }
  /** `text`: null if the state file needs a closer look. */
  | { taken: true; text: string | null; mayHaveRequest: boolean }

/** What became of a draft: in place or not, or what went wrong. */
export type Shown = boolean | Error

/** Results come in the order of the arguments. */
export interface Writer {
  /** It works in a thread of its own. */
  readonly apart: boolean
  /** @throws what the disk says; a claim that exists is no error */
  take(take: Take): Promise<TakeResult>
  /** Writes them under their temporary names. Null: done. An error: nothing is left behind. */
  write(drafts: readonly Draft[]): Promise<(Error | null)[]>
  /** Renames them into place. False: the name was taken. What could not be placed is removed. */
  show(drafts: readonly Draft[]): Promise<Shown[]>
  /** Removes the temporary files. */
  discard(drafts: readonly Draft[]): Promise<void>
  close(): Promise<void>
}

type WriterDisk = Pick<Disk, 'write' | 'rename' | 'link' | 'unlink'>

/** False when the name is taken. @throws any other error of the disk */
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

/** The sweep finds a temporary file that cannot be removed. */
export const takeAway = (disk: WriterDisk, file: string): void => {
  try {
    disk.unlink(file)
  } catch {
    // the caller gets the earlier error
  }
}

/** Not synced: like other claims, it need not survive a power cut. @throws what the disk says */
export const takeClaim = ({ claim, target, file, cancelRequest }: Take): TakeResult => {
  if (!makeSymlink(target, claim)) return { taken: false }
  return { taken: true, text: readQuietly(file), mayHaveRequest: existsSync(cancelRequest) }
}

export const writeAside = (
  disk: WriterDisk,
  { tmpFile, text }: Pick<Draft, 'tmpFile' | 'text'>,
): Error | null => {
  try {
    disk.write(tmpFile, text)
    return null
  } catch (error) {
    takeAway(disk, tmpFile)
    return error as Error
  }
}

export const showDraft = (disk: WriterDisk, { tmpFile, file, once, release }: Omit<Draft, 'text'>): Shown => {
  try {
    if (once) {
      const made = disk.link(tmpFile, file)
      disk.unlink(tmpFile)
      return made
    }
    disk.rename(tmpFile, file)
  } catch (error) {
    takeAway(disk, tmpFile)
    return error as Error
  }
  // a claim that stays does no harm: the record with its number is not running
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
    for (const { tmpFile } of drafts) takeAway(disk, tmpFile)
  },
  async close() {},
})
