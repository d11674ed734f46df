// How much free space the disk has, and what is refused when it gets scarce: new tasks first, so that those that run
// can still write their moves, logs and results into the reserve. An answer is kept for a moment; no write waits for
// one.
import { statfsSync } from 'node:fs'
import { MadhavaError } from '../../core/errors.ts'
import type { Disk } from './disk.ts'

export interface FreeSpace {
  /** Why no new task is taken, for people; null when there is space. Cheap. */
  trouble(): string | null
  /** @throws STORE_FULL when less than the reserve is left */
  forNewTask(): void
  /** For each piece of an upload, which may not eat into the reserve. @throws STORE_FULL */
  forUpload(): void
  /** Whether a waiting task may begin: the second half of the reserve belongs to those that run. */
  mayBegin(): boolean
  /** @throws STORE_FULL when so many bytes at once would eat into the second half of the reserve */
  forBytes(bytes: number): void
  /** The same disk; what is written through it is counted, so that a burst is noticed before the next reading. */
  watch(disk: Disk): Disk
  /** As what is written through such a disk. */
  noteWritten(characters: number): void
}

/** What `statfs` says of a file system. `files` is 0 where inodes are made as they are needed. */
export interface DiskFigures {
  bsize: number
  blocks: number
  bavail: number
  files: number
  ffree: number
}

export interface FreeSpaceOptions {
  dir: string
  /** Kept for running tasks; 0: nothing is refused. */
  reserveBytes: number
  /** For tests. */
  statfs?: (dir: string) => DiskFigures
  /** Milliseconds of a clock that never jumps; for tests. */
  now?: () => number
}

/** A small disk keeps no more than this share of itself. */
const SHARE = 0.1
const RESERVE_INODES = 1_024
const LOOK_MS = 250
/** A state file comes with its line in the log and its line in the feed. */
const COPIES = 3
/** Bytes that may be used up before the next reading, when hardly any are left. */
const LEAST_BYTES = 256 * 1024
const LEAST_INODES = 64
/** What is smaller is written without asking: it is what the reserve is for. */
const LARGE_BYTES = 1024 * 1024

const megabytes = (bytes: number): string => `${(Math.max(0, bytes) / 1024 ** 2).toFixed(1)} MB`

interface SpaceReading {
  freeBytes: number
  freeInodes: number
  reserveBytes: number
  reserveInodes: number
}
const UNKNOWN: SpaceReading = { freeBytes: Infinity, freeInodes: Infinity, reserveBytes: 0, reserveInodes: 0 }

export const createFreeSpace = (options: FreeSpaceOptions): FreeSpace => {
  const { dir, statfs = statfsSync, now = () => performance.now() } = options
  let last = UNKNOWN
  let lookedAt = Number.NEGATIVE_INFINITY
  let usedBytes = 0
  let usedInodes = 0

  const look = (): void => {
    lookedAt = now()
    usedBytes = 0
    usedInodes = 0
    try {
      const { bsize, blocks, bavail, files, ffree } = statfs(dir)
      const withInodes = files > 0 && options.reserveBytes > 0
      last = {
        freeBytes: bavail * bsize,
        freeInodes: withInodes ? ffree : Infinity,
        reserveBytes: Math.min(options.reserveBytes, blocks * bsize * SHARE),
        reserveInodes: withInodes ? Math.min(RESERVE_INODES, files * SHARE) : 0,
      }
    } catch {
      // a disk that cannot be asked is not full; writing to it says what is wrong
      last = UNKNOWN
    }
  }

  const present = (): SpaceReading => {
    const maybeBytes = Math.max((last.freeBytes - last.reserveBytes) / 2, LEAST_BYTES)
    const maybeInodes = Math.max((last.freeInodes - last.reserveInodes) / 2, LEAST_INODES)
    if (now() - lookedAt >= LOOK_MS || usedBytes >= maybeBytes || usedInodes >= maybeInodes) look()
    return last
  }

  const full = (what: string, seen: SpaceReading): MadhavaError => {
    const { freeBytes, freeInodes, reserveBytes, reserveInodes } = seen
    const inodes = freeInodes < reserveInodes
    const left = inodes ? `${freeInodes} free inodes` : `${megabytes(freeBytes)} free`
    const kept = inodes ? `${Math.ceil(reserveInodes)}` : megabytes(reserveBytes)
    return new MadhavaError(
      'STORE_FULL',
      `${what}: the data folder's disk has ${left}, and ${kept} are kept for running tasks. ` +
        'Make room on the disk, or lower RETENTION, RETENTION_COUNT or RETENTION_MB',
      {
        detail: {
          freeBytes,
          reserveBytes: Math.round(reserveBytes),
          freeInodes: Number.isFinite(freeInodes) ? freeInodes : null,
        },
      },
    )
  }

  const refusal = (what = 'No new tasks are taken'): MadhavaError | null => {
    const seen = present()
    if (seen.freeBytes >= seen.reserveBytes && seen.freeInodes >= seen.reserveInodes) return null
    return full(what, seen)
  }

  const noteWritten = (characters: number): void => {
    usedBytes += characters * COPIES
    usedInodes += 1
  }

  return {
    trouble: () => refusal()?.message ?? null,
    forNewTask() {
      const refused = refusal()
      if (refused) throw refused
    },
    forUpload() {
      const refused = refusal('No uploads are taken')
      if (refused) throw refused
    },
    mayBegin() {
      const { freeBytes, freeInodes, reserveBytes, reserveInodes } = present()
      return freeBytes >= reserveBytes / 2 && freeInodes >= reserveInodes / 2
    },
    forBytes(bytes) {
      if (bytes < LARGE_BYTES || options.reserveBytes === 0) return
      look()
      if (last.freeBytes - bytes < last.reserveBytes / 2) throw full(`${megabytes(bytes)} do not fit`, last)
    },
    watch: disk => ({
      ...disk,
      write(file, data) {
        disk.write(file, data)
        noteWritten(data.length)
      },
    }),
    noteWritten,
  }
}
