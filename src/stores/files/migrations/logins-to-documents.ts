// From format 1 to 2: the dashboard's logins, the key of its sessions and the ended sessions were files of forms of
// their own in `accounts/`, and become documents. Nobody's password changes.
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ACCOUNTS } from '../../../core/account-forms.ts'
import { upgradeDocument } from '../../../core/collection.ts'
import type { CollectionName, DocumentContent } from '../../../core/documents.ts'
import { MadhavaError } from '../../../core/errors.ts'
import { createFile, replaceFile, syncFolder } from '../../../platform/atomic-file.ts'
import { readPlain } from '../../../platform/plain-file.ts'
import { textOfDocument } from '../documents/document-file.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'
import type { FolderChange } from './migration.ts'

const MODE = { mode: 0o600 }
const BYTES_MAX = 64 * 1024
const KEY_BYTES = 32
const DAY_MS = 24 * 3_600_000

const base64 = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/)
const oldLogin = z.strictObject({
  version: z.literal(1),
  name: z.enum(['operator', 'viewer']),
  scrypt: z.strictObject({ N: z.int(), r: z.int(), p: z.int() }),
  salt: base64,
  hash: base64,
})
/** `v1.<end, milliseconds, base 36>.<random>`: a cookie without its signature. */
const ENDED = /^v1\.([0-9a-z]{1,9})\.[A-Za-z0-9_-]{22}$/

/**
 * Null for what is not there, and for what is not as that version wrote it: that stays as it is.
 * @throws what the file system says: what cannot be read now may be read another time
 */
const read = async <T>(file: string, parse: (bytes: Buffer) => T): Promise<T | null> => {
  try {
    const bytes = await readPlain(file, BYTES_MAX)
    return bytes === null ? null : parse(bytes)
  } catch (error) {
    if (isErrno(error, 'EFTYPE', 'EFBIG', 'EISDIR') || !isSystemError(error)) return null
    throw new MadhavaError(
      'STORE_UNAVAILABLE',
      `The data folder cannot be brought to its new format: ${path.basename(file)} in its folder accounts cannot be read (${(error as NodeJS.ErrnoException).code}). Give it to the user that runs Madhava`,
      { cause: error },
    )
  }
}
const isSystemError = (error: unknown): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code !== undefined

const documentOf = (name: string, data: DocumentContent['data'], expiresAt: string | null, now: Date) => ({
  name,
  version: 1,
  rev: now.getTime(),
  expiresAt,
  data,
})
const textOf = (...parts: Parameters<typeof documentOf>): string => textOfDocument(documentOf(...parts))
/** In the present form, so that one change is all that happens to it. */
const textOfLogin = (...parts: Parameters<typeof documentOf>): string =>
  textOfDocument({
    ...upgradeDocument('accounts', ACCOUNTS, documentOf(...parts)),
    version: ACCOUNTS.version,
  })

/** @see FolderMigration */
export const loginsToDocuments = async (layout: Layout): Promise<FolderChange[]> => {
  const folder = layout.collection('accounts')
  const at = (file: string): string => path.relative(layout.dir, file)
  const changes: FolderChange[] = []
  const remove = async (file: string): Promise<void> => {
    rmSync(file, { force: true })
    await syncFolder(path.dirname(file))
  }
  const makeUnlessThere = async (collection: CollectionName, name: string, text: string): Promise<void> => {
    await createFile(layout.document(collection, name), text, MODE)
  }

  for (const role of ['operator', 'viewer']) {
    const file = layout.document('accounts', role)
    const old = await read(file, bytes => oldLogin.parse(JSON.parse(bytes.toString())))
    if (old?.name !== role) continue
    const { scrypt, salt, hash } = old
    changes.push({
      place: at(file),
      text: 'a login becomes a document, with the same password',
      apply: now =>
        replaceFile(
          file,
          textOfLogin(role, { role, password: { scrypt, salt, hash }, configured: null }, null, now),
          MODE,
        ),
    })
  }

  const keyFile = path.join(folder, 'session.key')
  const key = await read(keyFile, bytes => (bytes.length === KEY_BYTES ? bytes : null))
  if (key)
    changes.push({
      place: at(keyFile),
      text: 'the key of the sessions becomes a document',
      async apply(now) {
        const data = { key: key.toString('base64url') }
        await makeUnlessThere('secrets', 'session-key', textOf('session-key', data, null, now))
        await remove(keyFile)
      },
    })

  const mark = path.join(folder, 'session.password')
  if (lstatSync(mark, { throwIfNoEntry: false })?.isFile())
    changes.push({
      place: at(mark),
      text: 'the mark of the last password is no longer needed and is removed',
      apply: () => remove(mark),
    })

  const ended = path.join(folder, 'ended')
  if (existsSync(ended) && lstatSync(ended).isDirectory())
    changes.push({
      place: at(ended),
      text: 'the ended sessions become documents',
      async apply(now) {
        for (const entry of readdirSync(ended, { withFileTypes: true })) {
          const { name } = entry
          const end = ENDED.exec(name)?.[1]
          if (end === undefined || !entry.isFile()) continue
          const hash = createHash('sha256').update(name).digest('hex')
          const expiresAt = new Date(Number.parseInt(end, 36) + DAY_MS).toISOString()
          await makeUnlessThere('ended-sessions', hash, textOf(hash, {}, expiresAt, now))
          rmSync(path.join(ended, name), { force: true })
        }
        // what people put there stays, and fsck tells of it
        if (readdirSync(ended).length === 0) rmdirSync(ended)
        await syncFolder(folder)
      },
    })
  return changes
}
