// Pictures for the tests of thumbnails, and one run of the kind as a worker would have it.
import assert from 'node:assert/strict'
import { crc32, deflateSync } from 'node:zlib'
import type { Sharp, SharpOptions } from 'sharp'
import { loadKind, type TaskContext } from '../../../src/core/kind.ts'
import { parseParams } from '../../../src/core/kind-params.ts'
import { FACTS, type Format } from '../../../src/kinds/lib/thumbnails/formats.ts'
import type { Thumbnails } from '../../../src/kinds/lib/thumbnails/thumbnails.ts'
import file from '../../../src/kinds/thumbnails.ts'
import { type FileContext, fileContext, type GivenFile } from '../../support/file-context.ts'
import type { Ends } from '../../support/undo.ts'

const module = await import('sharp').catch((error: unknown) => String(error))

/** False where sharp loads, else the reason to skip. */
export const noSharp = (): string | false => {
  if (typeof module !== 'string') return false
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(module)
  console.error('SKIPPED: sharp does not load on this machine')
  return 'sharp does not load on this machine'
}

/** Of bytes, of several pictures one after another, or of options alone. */
export const sharp = (input: Buffer | Buffer[] | SharpOptions, options?: SharpOptions): Sharp => {
  if (typeof module === 'string') return assert.fail(module)
  return Buffer.isBuffer(input) || Array.isArray(input)
    ? module.default(input, options)
    : module.default(input)
}

/** Noise, softened: it has as much in it as a photograph. */
export const photo = (width: number, height: number, channels: 3 | 4 = 3): Sharp => {
  const picture = sharp({
    create: {
      width,
      height,
      channels: 3,
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
      background: '#888',
    },
  }).blur(1)
  return channels === 4 ? picture.ensureAlpha(0.5) : picture
}

export const inFormat = (picture: Sharp, format: Format): Promise<Buffer> =>
  format === 'avif' ? picture.avif({ effort: 0 }).toBuffer() : picture.toFormat(format).toBuffer()

export const kind = loadKind('thumbnails', file, 'thumbnails.ts')
export const IMAGE = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

export interface Made extends FileContext {
  result: Thumbnails
}

/** Params pass the schema first, as they do in a worker. */
export const run = async (
  given: GivenFile,
  asked: Record<string, unknown>,
  test: Ends,
  over?: Partial<TaskContext>,
): Promise<Made> => {
  const files = fileContext({ [IMAGE]: given }, test, over)
  const params = await parseParams(kind, { image: { $upload: IMAGE }, ...asked })
  const result = kind.result.parse(await kind.run(params, files.context)) as Thumbnails
  return { ...files, result }
}

export const given = (bytes: Buffer, format: Format, name: string | null = null): GivenFile => ({
  bytes,
  name,
  type: FACTS[format].type,
})

/** A chunk of a PNG. */
export const chunk = (name: string, data: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const around = Buffer.alloc(8)
  around.writeUInt32BE(data.length, 0)
  around.writeUInt32BE(crc32(named), 4)
  return Buffer.concat([around.subarray(0, 4), named, around.subarray(4)])
}

/** A black PNG of any size in a few bytes for a row; `rows`: how many of them are there. */
export const blackPng = (width: number, height: number, rows: number = height): Buffer => {
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([1, 0, 0, 0, 0], 8)
  const data = deflateSync(Buffer.alloc(rows * (Math.ceil(width / 8) + 1)), { level: 9 })
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}
