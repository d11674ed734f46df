// What a check of a data folder tells, and what it can do about it.
import { type Dirent, lstatSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { syncFolder } from '../../../platform/atomic-file.ts'
import { isRealFolder } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'
import { moveAway } from '../quarantine.ts'

/** Permanent words, for programs. docs/state-files.md has a row for each. */
export const FINDINGS = [
  'broken-record',
  'broken-document',
  'later-version',
  'foreign',
  'leftover',
  'orphan-blobs',
  'result-missing',
  'result-size',
  'artifact-missing',
  'artifact-size',
  'stray-artifact',
  'orphan-upload',
  'upload-missing',
  'upload-size',
  'dead-upload',
  'stray-use',
  'stray-claim',
  'dead-key',
  'wrong-key',
  'missing-key',
  'shared-key',
  'stray-revoke',
  'broken-revoke',
  'bad-lines',
] as const

export interface FsckFinding {
  code: (typeof FINDINGS)[number]
  /** Inside the data folder. */
  place: string
  text: string
  /** Null: only people can. */
  mend: { how: 'moved to broken/' | 'removed' | 'made anew'; now: () => void | Promise<void> } | null
}

/** Looks at one thing, as often as wanted; null when all is well with it. @throws what the file system says */
export type FsckCheck = () => FsckFinding | null | Promise<FsckFinding | null>

/** Entries of a folder in the order of their names; none when it is not there, or a link. */
export const entriesOf = (folder: string): Dirent[] => {
  if (!isRealFolder(folder)) return []
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** Whether there is anything at this place, a link that leads nowhere included. */
export const isThere = (place: string): boolean => lstatSync(place, { throwIfNoEntry: false }) !== undefined

/** How checks name places and say what would mend them. */
export interface Repairs {
  /** The place as it is reported: relative to the data folder. */
  at(place: string): string
  removing(place: string): FsckFinding['mend']
  moving(place: string, name?: string): FsckFinding['mend']
}

export const repairsOf = (layout: Layout): Repairs => ({
  at: place => path.relative(layout.dir, place),
  removing: place => ({ how: 'removed', now: () => rmSync(place) }),
  moving: (place, name = path.basename(place)) => ({
    how: 'moved to broken/',
    now: async () => {
      const to = moveAway(layout, place, name)
      for (const changed of [path.dirname(to), path.dirname(place), layout.dir]) await syncFolder(changed)
    },
  }),
})
