// How many bytes uploads may take: each, those of one owner, and all; and how many there may be that no task names, since
// an empty one takes a file of the disk too. What stands in the store is read from time to time
// and what this process has let in since is added, so several processes may exceed a limit by what each has let in
// meanwhile.
import { MadhavaError } from './errors.ts'
import { tooLarge } from './upload-intake.ts'

/** Bytes; null: no limit. */
export interface UploadLimits {
  maxBytes: number
  maxBytesPerOwner: number | null
  maxBytesInAll: number | null
  /** Media types such as `image/png` or `image/*` that are taken; null: all. */
  types: readonly string[] | null
}
export const NO_UPLOAD_LIMITS: UploadLimits = {
  maxBytes: 1024 ** 3,
  maxBytesPerOwner: null,
  maxBytesInAll: null,
  types: null,
}

/** What stands in the store. */
export interface StandingUploads {
  byOwner: ReadonlyMap<string | null, number>
  /** Bytes. */
  all: number
  /** How many uploads. */
  count: number
  /** How many that no task has named. Those that one has are bounded as tasks are. */
  unusedByOwner: ReadonlyMap<string | null, number>
  unused: number
}

/** How many uploads that no task has named one owner may have, and all of them together. */
export const UNUSED_MAX = { perOwner: 10_000, inAll: 100_000 }

/** Room that an upload takes while its bytes come. */
export interface Reservation {
  /** @throws UPLOADS_FULL */
  took(bytes: number): void
  /** `kept`: the bytes stand in the store now. */
  done(kept: boolean): void
}

export interface UploadRoom {
  /** What stood in the store a moment ago. @throws STORE_UNAVAILABLE */
  standing(): Promise<StandingUploads>
  /**
   * @param length announced; null: unknown
   * @param what one upload more, or bytes for one that is there
   * @throws UPLOAD_TOO_LARGE, UPLOADS_FULL
   */
  reserve(owner: string | null, length: number | null, what: 'new' | 'grows'): Promise<Reservation>
}

/** What was read is used for so long, and for so many times as long as the reading took. */
const FRESH_MS = 5_000
const FRESH_TIMES = 20
/** Before somebody is refused it is read anew, but not more often than this, nor for a third of the time. */
const ANEW_MS = 500
const ANEW_TIMES = 3

interface Added {
  owner: string | null
  bytes: number
  /** Uploads: one, or none when it was there before. */
  uploads: number
  endedAt: number | null
}

export const createUploadRoom = (deps: {
  limits: UploadLimits
  read: () => Promise<StandingUploads>
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** For tests. */
  unusedMax?: typeof UNUSED_MAX
}): UploadRoom => {
  const { limits, read, elapsed = () => performance.now(), unusedMax = UNUSED_MAX } = deps
  let standing: StandingUploads = {
    ...{ byOwner: new Map(), all: 0, count: 0 },
    ...{ unusedByOwner: new Map(), unused: 0 },
  }
  let readAt = Number.NEGATIVE_INFINITY
  let [freshMs, anewMs] = [FRESH_MS, ANEW_MS]
  let reading: Promise<void> | null = null
  /** Let in here, and not yet in what was read: under way, or ended since the reading began. */
  const added = new Set<Added>()

  const readAnew = async (): Promise<void> => {
    const begun = elapsed()
    standing = await read()
    readAt = elapsed()
    const tookMs = readAt - begun
    freshMs = Math.max(FRESH_MS, tookMs * FRESH_TIMES)
    anewMs = Math.max(ANEW_MS, tookMs * ANEW_TIMES)
    for (const each of added) if (each.endedAt !== null && each.endedAt < begun) added.delete(each)
  }
  const refresh = (olderThanMs: number): Promise<void> => {
    if (elapsed() - readAt < olderThanMs) return Promise.resolve()
    reading ??= readAnew().finally(() => {
      reading = null
    })
    return reading
  }

  const sum = (of: 'bytes' | 'uploads', owner?: string | null): number => {
    let all = 0
    for (const each of added) if (owner === undefined || each.owner === owner) all += each[of]
    return all
  }
  /** Why so many more bytes have no room; null: they have. */
  const whyNoBytes = (owner: string | null, bytes: number): string | null => {
    const { maxBytesPerOwner: own, maxBytesInAll: all } = limits
    if (own !== null && (standing.byOwner.get(owner) ?? 0) + sum('bytes', owner) + bytes > own)
      return `The uploads of one account may have ${own} bytes`
    if (all !== null && standing.all + sum('bytes') + bytes > all)
      return `All uploads together may have ${all} bytes`
    return null
  }
  /** Why there may be no upload more; null: there may. */
  const whyNoMore = (owner: string | null): string | null => {
    const { perOwner: own, inAll: all } = unusedMax
    if ((standing.unusedByOwner.get(owner) ?? 0) + sum('uploads', owner) >= own)
      return `One account may have ${own} uploads that no task has named`
    if (standing.unused + sum('uploads') >= all) return `There may be ${all} uploads that no task has named`
    return null
  }
  const refuse = (why: string): never => {
    throw new MadhavaError('UPLOADS_FULL', `${why}: delete some, or wait until they are removed`)
  }

  return {
    async standing() {
      await refresh(freshMs)
      return standing
    },

    async reserve(owner, length, what) {
      if (length !== null && length > limits.maxBytes)
        throw new MadhavaError('UPLOAD_TOO_LARGE', tooLarge(limits.maxBytes))
      const whyNot = (): string | null =>
        whyNoBytes(owner, length ?? 1) ?? (what === 'new' ? whyNoMore(owner) : null)
      const reading = refresh(freshMs)
      // what was read before does until it has been read anew: of many uploads that takes long
      if (readAt === Number.NEGATIVE_INFINITY) await reading
      else reading.catch(() => {})
      if (whyNot() !== null) await refresh(anewMs)
      const why = whyNot()
      if (why !== null) refuse(why)
      const mine: Added = { owner, bytes: length ?? 0, uploads: what === 'new' ? 1 : 0, endedAt: null }
      added.add(mine)
      let came = 0
      return {
        took(bytes) {
          came += bytes
          const more = came - mine.bytes
          if (more <= 0) return
          const full = whyNoBytes(owner, more)
          if (full !== null) refuse(full)
          mine.bytes = came
        },
        done(kept) {
          if (mine.endedAt !== null) return
          mine.endedAt = elapsed()
          mine.bytes = came
          if (!kept) added.delete(mine)
        },
      }
    },
  }
}
