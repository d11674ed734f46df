// How params name an upload: `{"$upload": "<id>"}`, and what the schema of a kind asks of it. Pure; whether the upload
// is there, and whose it is, core/uploads.ts says.
import { z } from 'zod'

/** What params have in place of a file. */
export interface UploadRef {
  $upload: string
}

/** What a kind takes. */
export interface UploadRule {
  /** Media types such as `image/png` or `image/*`, of which the bytes must be one; left out: any. */
  types?: readonly string[]
  maxBytes?: number
}

const KEY = '$upload'
/** In the JSON Schema of the params, where a form may offer a field for a file. */
export const UPLOAD_KEYWORD = 'x-upload'

/** A schema for params that name an upload. */
export const uploadSchema = (rule: UploadRule = {}): z.ZodType<UploadRef> =>
  z.strictObject({ [KEY]: z.uuid() }).meta({ [UPLOAD_KEYWORD]: rule }) as unknown as z.ZodType<UploadRef>

/** The id that a value names, in lower case; null: it is no reference. */
export const uploadIdOf = (value: unknown): string | null => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const id = (value as Partial<UploadRef>)[KEY]
  return typeof id === 'string' && Object.keys(value).length === 1 ? id.toLowerCase() : null
}

/** Whether a media type is one of those; `image/*` stands for all images. */
export const isOfType = (type: string, types: readonly string[]): boolean =>
  types.some(wanted =>
    wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : wanted === '*' || wanted === type,
  )

/** One place in params that names an upload. */
export interface NamedUpload {
  id: string
  /** Such as `params.images.0`. */
  path: string
  /** What the schema asks at this place, in each of its alternatives; empty: nothing. */
  rules: UploadRule[]
}
