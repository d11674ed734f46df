// How many bytes uploads may take: each, those of one owner, and all. What stands in the store is read from time to time
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

/** Bytes that stand in the store. */
export interface StandingUploads {
  byOwner: ReadonlyMap<string | null, number>
  all: number
  /** How many uploads. */
  count: number
}

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
  /** @param length announced; null: unknown. @throws UPLOAD_TOO_LARGE, UPLOADS_FULL */
  reserve(owner: string | null, length: number | null): Promise<Reservation>
}

/** What was read is used for so long, and for so many times as long as the reading took. */
const FRESH_MS = 5_000
const FRESH_TIMES = 20
/** Before somebody is refused it is read anew, but not more often than this. */
const ANEW_MS = 500

export const createUploadRoom = (deps: {
  limits: UploadLimits
  read: () => Promise<StandingUploads>
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
}): UploadRoom => {
  const { limits, read, elapsed = () => performance.now() } = deps
  let standing: StandingUploads = { byOwner: new Map(), all: 0, count: 0 }
  let readAt = Number.NEGATIVE_INFINITY
  let freshMs = FRESH_MS
  let reading: Promise<void> | null = null
  /** Let in here, and not yet in what was read: under way, or ended since the reading began. */
  const added = new Set<{ owner: string | null; bytes: number; endedAt: number | null }>()

  const readAnew = async (): Promise<void> => {
    const begun = elapsed()
    standing = await read()
    readAt = elapsed()
    freshMs = Math.max(FRESH_MS, (readAt - begun) * FRESH_TIMES)
    for (const each of added) if (each.endedAt !== null && each.endedAt < begun) added.delete(each)
  }
  const refresh = (olderThanMs: number): Promise<void> => {
    if (elapsed() - readAt < olderThanMs) return Promise.resolve()
    reading ??= readAnew().finally(() => {
      reading = null
    })
    return reading
  }

  const inAll = (): number => [...added].reduce((sum, { bytes }) => sum + bytes, standing.all)
  const ofOwner = (owner: string | null): number =>
    [...added].reduce(
      (sum, each) => (each.owner === owner ? sum + each.bytes : sum),
      standing.byOwner.get(owner) ?? 0,
    )
  /** Why so many more bytes have no room; null: they have. */
  const whyNot = (owner: string | null, bytes: number): string | null => {
    const { maxBytesPerOwner: own, maxBytesInAll: all } = limits
    if (own !== null && ofOwner(owner) + bytes > own)
      return `The uploads of one account may have ${own} bytes`
    if (all !== null && inAll() + bytes > all) return `All uploads together may have ${all} bytes`
    return null
  }
  const refuse = (why: string): never => {
    throw new MadhavaError('UPLOADS_FULL', `${why}: delete some, or wait until their tasks are removed`)
  }

  return {
    async standing() {
      await refresh(freshMs)
      return standing
    },

    async reserve(owner, length) {
      if (length !== null && length > limits.maxBytes)
        throw new MadhavaError('UPLOAD_TOO_LARGE', tooLarge(limits.maxBytes))
      const hasTotals = limits.maxBytesPerOwner !== null || limits.maxBytesInAll !== null
      if (hasTotals) {
        await refresh(freshMs)
        if (whyNot(owner, length ?? 1) !== null) await refresh(ANEW_MS)
        const why = whyNot(owner, length ?? 1)
        if (why !== null) refuse(why)
      }
      const mine: { owner: string | null; bytes: number; endedAt: number | null } = {
        owner,
        bytes: length ?? 0,
        endedAt: null,
      }
      added.add(mine)
      let came = 0
      return {
        took(bytes) {
          came += bytes
          const more = came - mine.bytes
          if (more <= 0) return
          const why = hasTotals ? whyNot(owner, more) : null
          if (why !== null) refuse(why)
          mine.bytes = came
        },
        done(kept) {
          if (mine.endedAt !== null) return
          mine.endedAt = elapsed()
          mine.bytes = came
          if (!kept || !hasTotals) added.delete(mine)
        },
      }
    },
  }
}
