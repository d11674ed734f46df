// Uploads, for all APIs: bytes in, in one request or in several; the note of each, its bytes back, its removal. What
// stands in the store is a document and the bytes. The document is written first and removed first, so bytes without
// one are nobody's, and the sweep removes them (worker/upload-sweep.ts).
import { Readable } from 'node:stream'
import type { Actor } from './actor.ts'
import { abortable } from './async/abortable.ts'
import type { TypedDocument } from './collection.ts'
import type { StoredContent } from './content.ts'
import { isMadhavaError, MadhavaError } from './errors.ts'
import { demand, demandTouch, seesAll, uploadOwnersSeen } from './policy.ts'
import { newTaskId as newId, parseTaskId } from './task.ts'
import { UPLOAD_NAME_MAX, type Upload } from './upload-forms.ts'
import { createIntake, type Intake } from './upload-intake.ts'
import { flawOfUpload, UPLOADS_PER_TASK } from './upload-params.ts'
import { isOfType, type NamedUpload } from './upload-ref.ts'
import { createUploadRoom, type Reservation, type UploadLimits } from './upload-room.ts'
import { readStanding } from './upload-standing.ts'
import { openUploads, type UploadStore, type UploadUses } from './upload-uses.ts'
import { checked, createUploadWriters } from './upload-writers.ts'

export interface UploadInfo {
  id: string
  /** As the client called it. */
  name: string | null
  /** So far, while it is open. */
  bytes: number
  /** Found in the bytes, as the digest; null while it is open. */
  type: string | null
  sha256: string | null
  state: 'open' | 'whole'
  /** Bytes that the client has announced; null: it has not said. */
  length: number | null
  owner: string | null
  createdAt: string
  /** When it goes if no task names it until then; null: tasks name it, and it goes with the last one. */
  expiresAt: string | null
}

export interface UploadWish {
  /** A text of the client's; it never becomes a path. */
  name?: string | null
  /** Bytes; null or left out: not known. */
  length?: number | null
}

export type UploadSource = AsyncIterable<Uint8Array | string>

/** Calls throw UNAUTHORIZED or SCOPE_MISSING for an actor who may not do such a thing, and STORE_UNAVAILABLE. */
export interface Uploads {
  /**
   * Takes a whole upload. If anything goes wrong nothing stays. `sha256`: of the bytes, in hex, if the client knows it.
   * @throws UPLOAD_TOO_LARGE, UPLOADS_FULL, UPLOAD_TYPE_REFUSED, UPLOAD_DIGEST_WRONG, STORE_FULL; what the source throws
   */
  take(actor: Actor, wish: UploadWish & { sha256?: string | null }, bytes: UploadSource): Promise<UploadInfo>
  /** Begins an upload whose bytes come in several requests. @throws as `take` */
  begin(actor: Actor, wish: UploadWish): Promise<UploadInfo>
  /**
   * Adds bytes where it ends. What has come stays if the source breaks off.
   * @throws UPLOAD_NOT_FOUND, UPLOAD_OFFSET (`detail.offset`: where it ends), UPLOAD_BUSY, and as `take`
   */
  append(
    actor: Actor,
    id: string,
    offset: number,
    bytes: UploadSource,
    length?: number | null,
  ): Promise<UploadInfo>
  /**
   * All bytes have come. Does nothing to an upload that is whole already.
   * @throws UPLOAD_NOT_FOUND, UPLOAD_OPEN when fewer have come than were announced, UPLOAD_DIGEST_WRONG,
   * UPLOAD_TYPE_REFUSED, UPLOAD_BUSY
   */
  finish(actor: Actor, id: string, sha256?: string | null): Promise<UploadInfo>
  /** @throws BAD_ID, UPLOAD_NOT_FOUND */
  get(actor: Actor, id: string): Promise<UploadInfo>
  /** By id; `next` continues after the page, which can be short and not the last. @throws BAD_CURSOR */
  list(
    actor: Actor,
    page: { limit: number; cursor: string | null },
  ): Promise<{ uploads: UploadInfo[]; next: string | null }>
  /** The bytes. @throws BAD_ID, UPLOAD_NOT_FOUND, UPLOAD_OPEN */
  content(actor: Actor, id: string): Promise<StoredContent & { sha256: string; name: string | null }>
  /** How many there are, and their bytes, as of a moment ago; null for an actor who does not see all. */
  totals(actor: Actor): Promise<{ count: number; bytes: number } | null>
  /** @throws BAD_ID, UPLOAD_NOT_FOUND, UPLOAD_IN_USE, UPLOAD_BUSY */
  remove(actor: Actor, id: string): Promise<void>
}

/** What a submit asks. */
export interface UploadChecks {
  /** What is wrong with the uploads that params name, for this owner; empty: nothing. */
  flaws(owner: string | null, named: readonly NamedUpload[]): Promise<{ path: string; problem: string }[]>
}

export interface UploadsDeps {
  store: UploadStore
  uses: UploadUses
  clock: () => Date
  limits: UploadLimits
  /** How long an upload stays that no task names, milliseconds. */
  ttlMs: number
  /** The media type of bytes, by the first of them. */
  typeOf: (first: Uint8Array) => Promise<string>
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
}

/** How many documents one list looks at. */
const LOOK_AT = 1_000
/**
 * Control characters, half of a pair that a cut would leave, and what turns the direction of a text: with it
 * `photo<U+202E>gpj.exe` shows as `photoexe.jpg`.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/gu

/** The client's name for a file as a text of one line; null: nothing is left of it. */
export const cleanName = (given: string | null | undefined): string | null => {
  const name = (given ?? '').replace(UNPRINTABLE, '').trim()
  return name === '' ? null : name.slice(0, UPLOAD_NAME_MAX).replace(UNPRINTABLE, '')
}

const notFound = (id: string): MadhavaError =>
  new MadhavaError('UPLOAD_NOT_FOUND', `There is no upload ${id}`)

export const createUploads = (deps: UploadsDeps): Uploads & UploadChecks => {
  const { store, uses, clock, limits, ttlMs, typeOf, elapsed = () => performance.now() } = deps
  const documents = openUploads(store)
  const writers = createUploadWriters(store, uses.isAlive, elapsed)
  const now = (): string => clock().toISOString()

  const room = createUploadRoom({ limits, read: () => readStanding(documents), elapsed })

  const infoOf = ({ name: id, data }: TypedDocument<Upload>): UploadInfo => {
    const { owner, name, state, bytes, length, type, sha256, createdAt, touchedAt, usedAt } = data
    const expiresAt = usedAt === null ? new Date(Date.parse(touchedAt) + ttlMs).toISOString() : null
    return {
      ...{ id, name, bytes, type, sha256 },
      state: state === 'open' ? 'open' : 'whole',
      ...{ length, owner, createdAt, expiresAt },
    }
  }

  const sees = (actor: Actor, owner: string | null): boolean =>
    uploadOwnersSeen(actor)?.includes(owner ?? '') ?? true
  const find = async (actor: Actor, given: string): Promise<TypedDocument<Upload>> => {
    const id = parseTaskId(given)
    const found = await documents.get(id)
    if (found && found.data.state !== 'going' && sees(actor, found.data.owner)) return found
    throw notFound(id)
  }
  const findToChange = async (actor: Actor, id: string): Promise<TypedDocument<Upload>> => {
    demand(actor, 'submit')
    const found = await find(actor, id)
    demandTouch(actor, found.data)
    return found
  }

  const create = (
    actor: Actor,
    { name, length = null }: UploadWish,
    how: Pick<Upload, 'resumable' | 'holder'>,
  ): Promise<TypedDocument<Upload>> => {
    const at = now()
    const data: Upload = {
      owner: actor.account,
      name: cleanName(name),
      state: 'open',
      ...how,
      bytes: 0,
      length,
      type: null,
      sha256: null,
      createdAt: at,
      touchedAt: at,
      usedAt: null,
    }
    return documents.put(newId(), { data }, null)
  }
  /** In this order: see the top. What cannot be removed now, the sweep removes. */
  const drop = async (id: string): Promise<void> => {
    await documents.remove(id, 'any')
    await store.uploads.remove(id)
  }
  const dropQuietly = (id: string): Promise<void> => drop(id).catch(() => {})

  /** Writes the note of an upload that is written here. @throws UPLOAD_NOT_FOUND, UPLOAD_BUSY: it no longer is */
  const putOwn = async (id: string, data: Upload, rev: number): Promise<TypedDocument<Upload>> => {
    try {
      return await documents.put(id, { data }, rev)
    } catch (error) {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? await writers.whyLost(id) : error
    }
  }

  const become = async (
    upload: TypedDocument<Upload>,
    what: { bytes: number; sha256: string; first: Uint8Array },
    expected: string | null,
  ): Promise<UploadInfo> => {
    const { bytes, sha256, first } = what
    if (upload.data.length !== null && bytes !== upload.data.length)
      throw new MadhavaError(
        'UPLOAD_OPEN',
        `${upload.data.length} bytes were announced, and ${bytes} have come`,
      )
    if (expected !== null && expected.toLowerCase() !== sha256)
      throw new MadhavaError(
        'UPLOAD_DIGEST_WRONG',
        `The SHA-256 of the ${bytes} bytes that came is ${sha256}`,
      )
    const type = await typeOf(first)
    if (limits.types !== null && !isOfType(type, limits.types))
      throw new MadhavaError(
        'UPLOAD_TYPE_REFUSED',
        `The bytes are ${type}, and this server takes ${limits.types.join(', ')}`,
      )
    const data: Upload = {
      ...upload.data,
      ...{ state: 'whole', holder: null, bytes, sha256, type, touchedAt: now() },
    }
    return infoOf(await putOwn(upload.name, data, upload.rev))
  }

  const intoStore = (intake: Intake, id: string, offset: number): Promise<number> =>
    store.uploads.write(id, offset, Readable.from(intake.bytes(), { objectMode: false }))

  const flawOf = async (
    owner: string | null,
    given: string,
    rules: NamedUpload['rules'],
  ): Promise<string | null> => {
    let id: string
    try {
      id = parseTaskId(given)
    } catch {
      return 'the id of an upload is a UUID'
    }
    const found = await documents.get(id)
    const { state, type, bytes } = found?.data ?? {}
    if (!found || found.data.owner !== owner || state === 'going') return `there is no upload ${id} of yours`
    if (state === 'open' || !type) return `the bytes of the upload ${id} have not all come`
    return flawOfUpload(rules, { type, bytes: bytes ?? 0 })
  }

  return {
    async take(actor, wish, source) {
      demand(actor, 'submit')
      const space = await room.reserve(actor.account, wish.length ?? null, 'new')
      let upload: TypedDocument<Upload> | null = null
      let kept = false
      try {
        upload = await create(actor, wish, { resumable: false, holder: store.instance })
        const intake = createIntake(source, limits.maxBytes, space.took)
        await intoStore(intake, upload.name, 0)
        const info = await become(upload, intake.end(), wish.sha256 ?? null)
        kept = true
        return info
      } finally {
        if (!kept && upload) await dropQuietly(upload.name)
        space.done(kept)
      }
    },

    async begin(actor, wish) {
      demand(actor, 'submit')
      const space = await room.reserve(actor.account, wish.length ?? null, 'new')
      let kept = false
      try {
        const upload = await create(actor, wish, { resumable: true, holder: null })
        kept = true
        return infoOf(upload)
      } finally {
        space.done(kept)
      }
    },

    async append(actor, given, offset, source, length = null) {
      const { name: id } = await findToChange(actor, given)
      return writers.alone(id, async (upload, signal, stillMine) => {
        const { data } = upload
        const size = data.state === 'whole' ? data.bytes : ((await store.uploads.size(id)) ?? 0)
        const most = Math.min(limits.maxBytes, data.length ?? limits.maxBytes)
        let bytes = size
        let space: Reservation | null = null
        try {
          if (data.state !== 'open' || offset !== size)
            throw new MadhavaError(
              'UPLOAD_OFFSET',
              data.state === 'open'
                ? `The upload ends at ${size}: continue there`
                : `The upload is whole and has ${size} bytes`,
              { detail: { offset: size } },
            )
          space = await room.reserve(data.owner, length, 'grows')
          const intake = createIntake(checked(abortable(source, signal), stillMine), most - size, space.took)
          await stillMine()
          bytes = await intoStore(intake, id, size)
        } finally {
          try {
            if (data.state === 'open') bytes = (await store.uploads.size(id).catch(() => null)) ?? bytes
            const left: Upload = { ...data, holder: null, bytes, touchedAt: now() }
            upload = await putOwn(id, left, upload.rev)
          } finally {
            // only now: a reading that began before the note was written counts it, one that began later finds it there
            space?.done(true)
          }
        }
        return infoOf(upload)
      })
    },

    async finish(actor, given, sha256 = null) {
      const { name: id } = await findToChange(actor, given)
      return writers.alone(id, async (upload, _signal, stillMine) => {
        const { data } = upload
        try {
          if (data.state === 'whole') return infoOf(upload)
          // what came with a request that broke off is not durable yet, and of no bytes at all there is nothing
          await store.uploads.write(id, (await store.uploads.size(id)) ?? 0, Readable.from([]))
          const stored = await store.uploads.read(id)
          const source = checked(stored?.stream ?? Readable.from([]), stillMine)
          const intake = createIntake(source, Number.MAX_SAFE_INTEGER)
          for await (const _ of intake.bytes());
          return await become(upload, intake.end(), sha256)
        } finally {
          const last = await documents.get(id)
          if (last && last.rev === upload.rev)
            await documents.put(id, { data: { ...data, holder: null } }, last.rev)
        }
      })
    },

    async get(actor, id) {
      demand(actor, 'read')
      return infoOf(await find(actor, id))
    },

    async list(actor, { limit, cursor }) {
      demand(actor, 'read')
      const found: UploadInfo[] = []
      let next: string | null = cursor
      // each page reads the names of all, so small ones for who sees few of them would cost much
      const pageSize = Math.max(limit, LOOK_AT / 4)
      let looked = 0
      do {
        const page: Awaited<ReturnType<typeof documents.list>> = await documents.list({
          limit: pageSize,
          cursor: next,
        })
        looked += pageSize
        for (const document of page.documents) {
          if (document.data.state === 'going' || !sees(actor, document.data.owner)) continue
          found.push(infoOf(document))
          if (found.length === limit) return { uploads: found, next: document.name }
        }
        next = page.next
      } while (next !== null && looked < LOOK_AT)
      return { uploads: found, next }
    },

    async content(actor, given) {
      demand(actor, 'read')
      const { name: id, data } = await find(actor, given)
      const { type, sha256, bytes, name } = data
      if (type === null || sha256 === null) throw new MadhavaError('UPLOAD_OPEN')
      return {
        ...{ contentType: type, bytes, sha256, name },
        async open(range) {
          const stored = await store.uploads.read(id, range)
          if (stored) return stored.stream
          throw notFound(id)
        },
      }
    },

    async totals(actor) {
      demand(actor, 'read')
      if (!seesAll(actor)) return null
      const { count, all: bytes } = await room.standing()
      return { count, bytes }
    },

    async remove(actor, given) {
      const { name: id } = await findToChange(actor, given)
      if (await uses.removeUnused(id)) return
      if (await uses.isUsed(id, clock()))
        throw new MadhavaError('UPLOAD_IN_USE', 'A task names the upload: it goes with the last such task')
      throw new MadhavaError('UPLOAD_BUSY', 'Somebody else is just changing the upload: try again')
    },

    async flaws(owner, named) {
      if (named.length > UPLOADS_PER_TASK)
        return [{ path: 'params', problem: `a task may name ${UPLOADS_PER_TASK} uploads` }]
      const flaws: { path: string; problem: string }[] = []
      for (const { id, path, rules } of named) {
        const flaw = await flawOf(owner, id, rules)
        if (flaw !== null) flaws.push({ path, problem: flaw })
      }
      return flaws
    },
  }
}
