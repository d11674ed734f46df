// Uploads: files that tasks are to read.
import { Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import { UPLOAD_NAME_MAX } from '../core/upload-forms.ts'
import type { UploadWish } from '../core/uploads.ts'
import type { ApiContext, ApiDeps, ApiEnv } from './context.ts'
import { FILE_ANSWERS, FILE_HEADERS, sendFile } from './file-answer.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery, switchParameter, textParameter } from './query.ts'
import { upload, uploadPage } from './schemas.ts'
import { readUpload } from './upload-body.ts'

/** Bodies at these addresses, here and under the dashboard's `/api`, may take as long as they come. */
export const takesLongBody = (url: string): boolean => /^(?:\/api)?\/uploads(?:[/?]|$)/.test(url)

const UNKNOWN = ['BAD_ID', 'UPLOAD_NOT_FOUND'] as const
const OF_BYTES = ['UPLOAD_TOO_LARGE', 'UPLOADS_FULL', 'STORE_FULL', 'UNSUPPORTED_MEDIA_TYPE'] as const
const OF_END = ['UPLOAD_OPEN', 'UPLOAD_DIGEST_WRONG', 'UPLOAD_TYPE_REFUSED'] as const
const ofId = { id: z.string().describe('of the upload') }

const size = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a number of bytes')
  .transform(Number)
const sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be a SHA-256 in hex')
  .optional()
  .describe('SHA-256 of all bytes, in hex: if others have come, the upload is refused')
const name = textParameter(UPLOAD_NAME_MAX).optional().describe('what the file is called, for people')

const createQuery = defineQuery({
  name,
  sha256,
  resumable: switchParameter().describe(
    '1: without a body; the bytes come with PATCH, and POST /uploads/{id}/finish says that all have',
  ),
  length: size.optional().describe('with `resumable`: how many bytes will come, if that is known'),
})
const createUpload: Operation = {
  id: 'createUpload',
  need: 'submit',
  audit: 'upload.create',
  tag: 'files',
  summary: 'Upload a file that tasks are to read',
  description:
    'The body is the file as it is, or a form (`multipart/form-data`) with one file. Params name it as `{"$upload": "<id>"}`. It stays while a task names it; without one, until `expiresAt`. Its type is found in its bytes.',
  query: createQuery,
  body: { content: { '*/*': null, 'multipart/form-data': null }, optional: true },
  answers: {
    201: {
      description: 'It is there, and durable.',
      headers: { Location: 'address of the upload' },
      content: { [JSON_TYPE]: upload },
    },
  },
  errors: [...OF_BYTES, ...OF_END],
}

const appendQuery = defineQuery({
  offset: size.describe('where the bytes begin: where the upload ends'),
})
const appendUpload: Operation = {
  id: 'appendUpload',
  need: 'submit',
  audit: 'upload.create',
  tag: 'files',
  summary: 'Add bytes to a resumable upload',
  description:
    'What has come stays if the request breaks off: `bytes` of GET /uploads/{id} says where to go on. A later request ends an earlier one.',
  path: ofId,
  query: appendQuery,
  body: { content: { '*/*': null } },
  answers: { 200: { description: 'They are durable.', content: { [JSON_TYPE]: upload } } },
  errors: [...UNKNOWN, ...OF_BYTES, 'UPLOAD_OFFSET', 'UPLOAD_BUSY'],
}

const finishQuery = defineQuery({ sha256 })
const finishUpload: Operation = {
  id: 'finishUpload',
  need: 'submit',
  audit: 'upload.create',
  tag: 'files',
  summary: 'Say that all bytes of a resumable upload have come',
  path: ofId,
  query: finishQuery,
  answers: { 200: { description: 'Tasks may name it.', content: { [JSON_TYPE]: upload } } },
  errors: [...UNKNOWN, ...OF_END, 'UPLOAD_BUSY'],
}

const pageQuery = defineQuery({
  limit: z
    .string()
    .regex(/^(?:[1-9]\d{0,2}|1000)$/, 'must be 1 to 1000')
    .default('100')
    .transform(Number),
  cursor: textParameter(200).optional().describe('`next` of the page before'),
})
const listUploads: Operation = {
  id: 'listUploads',
  need: 'read',
  tag: 'files',
  summary: 'The uploads that the caller may see, by id',
  query: pageQuery,
  answers: { 200: { description: 'A page.', content: { [JSON_TYPE]: uploadPage } } },
  errors: ['BAD_CURSOR'],
}

const getUpload: Operation = {
  id: 'getUpload',
  need: 'read',
  tag: 'files',
  summary: 'What is known of an upload',
  path: ofId,
  answers: { 200: { description: 'The note.', content: { [JSON_TYPE]: upload } } },
  errors: [...UNKNOWN],
}

const getUploadContent: Operation = {
  id: 'getUploadContent',
  need: 'read',
  tag: 'files',
  summary: 'The bytes of an upload',
  path: ofId,
  headers: FILE_HEADERS,
  answers: FILE_ANSWERS,
  errors: [...UNKNOWN, 'UPLOAD_OPEN', 'RANGE_NOT_SATISFIABLE'],
}

const deleteUpload: Operation = {
  id: 'deleteUpload',
  need: 'submit',
  audit: 'upload.delete',
  tag: 'files',
  summary: 'Remove an upload that no task names',
  path: ofId,
  answers: { 204: { description: 'It is gone.' } },
  errors: [...UNKNOWN, 'UPLOAD_IN_USE', 'UPLOAD_BUSY'],
}

/** What the header announces; null: nothing. */
const lengthOf = (c: ApiContext): number | null => {
  const text = c.req.header('content-length')
  return text === undefined || !/^\d{1,15}$/.test(text) ? null : Number(text)
}

export const uploadRoutes = ({ service, log }: ApiDeps): Hono<ApiEnv> => {
  const { uploads } = service
  const begin = (c: ApiContext, wish: UploadWish) => {
    if ((lengthOf(c) ?? 0) > 0 || c.req.header('transfer-encoding') !== undefined)
      throw new MadhavaError(
        'BAD_REQUEST',
        'With resumable=1 the request has no body: the bytes come with PATCH',
      )
    return uploads.begin(c.get('actor'), wish)
  }
  const take = async (c: ApiContext, wish: UploadWish, digest: string | null) => {
    const body = await readUpload(c)
    // of a form the header says more than the file has
    const length = body.name === null ? lengthOf(c) : null
    return uploads.take(c.get('actor'), { name: wish.name ?? body.name, length, sha256: digest }, body.bytes)
  }
  return new Hono<ApiEnv>()
    .post('/uploads', describe(createUpload), async c => {
      const { name = null, sha256 = null, resumable, length = null } = createQuery.read(c.req.url)
      const info = resumable ? await begin(c, { name, length }) : await take(c, { name }, sha256)
      c.header('Location', `/uploads/${info.id}`)
      return sendJson(c, info, 201)
    })
    .get('/uploads', describe(listUploads), async c => {
      const { limit, cursor = null } = pageQuery.read(c.req.url)
      return sendJson(c, await uploads.list(c.get('actor'), { limit, cursor }))
    })
    .get('/uploads/:id', describe(getUpload), async c =>
      sendJson(c, await uploads.get(c.get('actor'), c.req.param('id'))),
    )
    .patch('/uploads/:id', describe(appendUpload), async c => {
      const { offset } = appendQuery.read(c.req.url)
      const { bytes } = await readUpload(c)
      return sendJson(c, await uploads.append(c.get('actor'), c.req.param('id'), offset, bytes, lengthOf(c)))
    })
    .post('/uploads/:id/finish', describe(finishUpload), async c => {
      const { sha256 = null } = finishQuery.read(c.req.url)
      return sendJson(c, await uploads.finish(c.get('actor'), c.req.param('id'), sha256))
    })
    .get('/uploads/:id/content', describe(getUploadContent), async c => {
      const content = await uploads.content(c.get('actor'), c.req.param('id'))
      return sendFile(c, content, content.name ?? c.req.param('id'), log)
    })
    .delete('/uploads/:id', describe(deleteUpload), async c => {
      await uploads.remove(c.get('actor'), c.req.param('id'))
      return c.body(null, 204)
    })
}
