// The one way in which something is taken out of the way: into `broken/`, where nothing reads it and nothing deletes
// it. At run time that happens to state files that cannot be used, so that they stop no task and are not lost.
import { linkSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs'
import path from 'node:path'
import type { Log } from '../../platform/log.ts'
import { isErrno } from './errno.ts'
import type { Layout, SafeId } from './layout.ts'
import { readAsStateFile, readStateFile } from './records/state-file.ts'

const isTaken = (place: string): boolean => lstatSync(place, { throwIfNoEntry: false }) !== undefined

/** Moves a file or folder to `broken/<name>`, or to the first of `broken/<name>.<n>` that is free; answers where. */
export const moveAway = (layout: Layout, from: string, name: string): string => {
  const folder = path.join(layout.dir, 'broken')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let to = path.join(folder, name)
  for (let n = 1; isTaken(to); n += 1) to = path.join(folder, `${name}.${n}`)
  renameSync(from, to)
  return to
}

export interface Quarantine {
  /** Looks once more at a state file that could not be used, and takes it away when that is certain. Never throws. */
  take(id: SafeId): void
  counters(): Record<string, number>
}

export interface QuarantineDeps {
  layout: Layout
  log: Log
  /** The task is no longer there for anybody. */
  onTaken: (id: SafeId) => void
}

/** A file that may be read another time, or by a later program, stays where it is. */
const PASSING = /\((?:EIO|EMFILE|ENFILE)\)/

export const createQuarantine = ({ layout, log, onTaken }: QuarantineDeps): Quarantine => {
  const counts = { quarantine: 0, laterVersion: 0 }
  /** Told once each. */
  const told = new Set<SafeId>()

  const tellOnce = (id: SafeId, why: string, text: string): boolean => {
    if (told.has(id)) return false
    told.add(id)
    log.error({ id, why }, text)
    return true
  }

  /** A good one may have come in between the reading and the move: then it goes back, unless a newer one is there. */
  const putBackIfGood = (id: SafeId, to: string): boolean => {
    if (readAsStateFile(to, id).state !== 'whole') return false
    try {
      linkSync(to, layout.task(id))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    unlinkSync(to)
    return true
  }

  /** Where they are now; null where there are none. */
  const moveBlobs = (id: SafeId): string | null => {
    try {
      return moveAway(layout, layout.blobFolder(id), `${id}.blobs`)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
      return null
    }
  }

  /** One that was written anew since stays; the older one of its name then remains aside. */
  const putBlobsBack = (id: SafeId, from: string): void => {
    const folder = layout.blobFolder(id)
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(from))
      if (!isTaken(path.join(folder, name))) renameSync(path.join(from, name), path.join(folder, name))
    if (readdirSync(from).length === 0) rmdirSync(from)
  }

  return {
    counters: () => ({ ...counts }),
    take(id) {
      try {
        const found = readStateFile(layout, id)
        if (
          found.state === 'later' &&
          tellOnce(id, found.why, 'a state file is of a later version; it is left out')
        )
          counts.laterVersion += 1
        if (found.state !== 'broken') return
        if (PASSING.test(found.why)) {
          tellOnce(id, found.why, 'a state file cannot be read; the task is left out')
          return
        }
        // blobs first: a sweep deletes those of a task that has no state file
        const blobs = moveBlobs(id)
        const to = moveAway(layout, layout.task(id), `${id}.json`)
        if (putBackIfGood(id, to)) {
          if (blobs !== null) putBlobsBack(id, blobs)
          return
        }
        counts.quarantine += 1
        log.error(
          { id, why: found.why, to: path.relative(layout.dir, to) },
          'a broken state file was set aside',
        )
        onTaken(id)
      } catch (error) {
        // another process was faster, or the disk refuses: it stays out of all answers in any case
        if (!isErrno(error, 'ENOENT')) tellOnce(id, String(error), 'a broken state file cannot be set aside')
      }
    },
  }
}
