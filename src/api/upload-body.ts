// The file in the body of a request: the whole body, or the one file of a form. Read at the pace of who takes it, and
// never held as a whole.
import { Readable } from 'node:stream'
import { MadhavaError } from '../core/errors.ts'
import type { UploadSource } from '../core/uploads.ts'
import type { ApiContext } from './context.ts'

export interface UploadBody {
  /** As the client calls it, in the form; null where it says nothing. */
  name: string | null
  bytes: UploadSource
}

const FORM = 'multipart/form-data'
/** Of the fields beside the file, which mean nothing here. */
const FORM_LIMITS = { files: 1, fields: 20, fieldSize: 4_096, fieldNameSize: 256, parts: 24, headerPairs: 50 }

const malformed = (why: string, cause?: unknown): MadhavaError =>
  new MadhavaError('BAD_REQUEST', `The form cannot be read: ${why}`, { cause })

/** Node's own stream where there is one: the way over web streams takes twice the time. */
const sourceOf = (c: ApiContext): Readable => {
  if (c.env?.incoming) return c.env.incoming
  return c.req.raw.body === null ? Readable.from([]) : Readable.fromWeb(c.req.raw.body as never)
}

/** The form's file, as soon as it begins. What is behind it is read to its end before `bytes` ends. */
const readForm = async (contentType: string, source: Readable): Promise<UploadBody> => {
  const { Busboy } = await import('@fastify/busboy')
  let form: InstanceType<typeof Busboy>
  try {
    form = new Busboy({ headers: { 'content-type': contentType }, limits: FORM_LIMITS })
  } catch (error) {
    throw malformed('its Content-Type names no boundary', error)
  }
  let failed: MadhavaError | null = null
  let file: Readable | null = null
  const fail = (error: MadhavaError): void => {
    failed ??= error
    file?.destroy(failed)
    form.destroy()
  }
  const finished = new Promise<void>(resolve => {
    form.once('finish', resolve)
    form.once('close', resolve)
  })
  form.once('filesLimit', () => fail(malformed('it has more than one file: send one in each request')))
  form.once('partsLimit', () => fail(malformed('it has too many parts')))
  form.once('fieldsLimit', () => fail(malformed('it has too many fields')))
  form.on('error', (error: unknown) => fail(malformed('it is broken, or breaks off', error)))
  source.once('error', error => fail(malformed('it breaks off', error)))

  const begun = new Promise<UploadBody | null>(resolve => {
    form.once('file', (_field: string, stream: Readable, filename: string | undefined) => {
      file = stream
      stream.on('error', () => {})
      resolve({ name: filename ?? null, bytes: whole(stream) })
    })
    void finished.then(() => resolve(null))
  })
  async function* whole(stream: Readable): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of stream) yield piece as Uint8Array
      await finished
      if (failed) throw failed
    } catch (error) {
      throw failed ?? malformed('it breaks off', error)
    } finally {
      source.unpipe(form)
      source.resume()
    }
  }
  source.pipe(form)
  const body = await begun
  if (body) return body
  throw failed ?? malformed('it has no file')
}

/** @throws BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE */
export const readUpload = async (c: ApiContext): Promise<UploadBody> => {
  if (c.req.header('content-encoding') !== undefined)
    throw new MadhavaError(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body has a Content-Encoding: send the file as it is, without that header',
    )
  const type = c.req.header('content-type') ?? ''
  const source = sourceOf(c)
  if (type.toLowerCase().startsWith(FORM)) return readForm(type, source)
  // whoever takes no more of it must not end the connection: the answer is still to come
  return { name: null, bytes: source.iterator({ destroyOnReturn: false }) }
}
