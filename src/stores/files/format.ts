// The format of a data folder, in `format.json`: which program may use it. A folder without that file is of format 1.
import path from 'node:path'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { replaceFile } from '../../platform/atomic-file.ts'
import { readPlain } from '../../platform/plain-file.ts'
import { VERSION } from '../../platform/version.ts'
import { isErrno } from './errno.ts'
import type { Layout } from './layout.ts'

/**
 * 1: the dashboard's logins are files of their own. 2: they are documents. A new one has a step in `migrations/`.
 */
export const FORMAT = 2
/** The first one that has documents. */
export const DOCUMENTS_FORMAT = 2

const BYTES_MAX = 4 * 1024
const schema = z.looseObject({ format: z.int().min(1), writtenBy: z.string().max(100) })
export type FolderFormat = Pick<z.infer<typeof schema>, 'format' | 'writtenBy'>

const fileOf = (layout: Pick<Layout, 'dir'>): string => path.join(layout.dir, 'format.json')

/** @throws STORE_UNAVAILABLE when the file says nothing, and what the file system says */
export const readFormat = async (layout: Pick<Layout, 'dir'>): Promise<FolderFormat> => {
  try {
    const bytes = await readPlain(fileOf(layout), BYTES_MAX)
    if (bytes === null) return { format: 1, writtenBy: 'an early version' }
    return schema.parse(JSON.parse(bytes.toString()))
  } catch (cause) {
    if (isErrno(cause, 'EACCES', 'EPERM', 'EIO', 'ENOTDIR')) throw cause
    throw new MadhavaError(
      'STORE_UNAVAILABLE',
      `In the data folder ${layout.dir}, format.json cannot be used: put back what it said, {"format":${FORMAT},"writtenBy":"${VERSION}"} for this version`,
      { cause },
    )
  }
}

/** @throws STORE_UNAVAILABLE when only a later program knows the folder */
export const refuseLaterFormat = async (layout: Pick<Layout, 'dir'>): Promise<FolderFormat> => {
  const found = await readFormat(layout)
  if (found.format <= FORMAT) return found
  throw new MadhavaError(
    'STORE_UNAVAILABLE',
    `The data folder ${layout.dir} is of format ${found.format}, written by Madhava ${found.writtenBy}; this is Madhava ${VERSION}, which knows format ${FORMAT}. Start version ${found.writtenBy} or a later one, or set DATA_DIR to another folder`,
  )
}

/** Durable when it resolves. */
export const writeFormat = (layout: Pick<Layout, 'dir'>): Promise<void> =>
  replaceFile(fileOf(layout), `${JSON.stringify({ format: FORMAT, writtenBy: VERSION })}\n`)
