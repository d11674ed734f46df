// The kind `thumbnails`: small copies of an image, and a zip of them with the original.
import type { KindTools } from '../core/kind.ts'
import { FORMATS, TAKEN_TYPES } from './lib/thumbnails/formats.ts'
import { FITS, SIDE_MAX } from './lib/thumbnails/measures.ts'
import { sharpIsInstalled } from './lib/thumbnails/sharp-presence.ts'
import { makeThumbnails } from './lib/thumbnails/thumbnails.ts'

const BYTES_MAX = 64 * 1024 ** 2
const SIZES_MAX = 16
/** Over all workers. Each takes up to 768 MiB, in a process of its own, and one core. */
const AT_ONCE = 2

const SUMMARY = 'Small copies of an image, and a zip of them with the original'

export default ({ defineKind, z, upload }: KindTools) => {
  const side = z.int().min(1).max(SIDE_MAX)
  const size = z.tuple([side, side])
  return defineKind({
    summary: sharpIsInstalled() ? SUMMARY : `${SUMMARY} (fails here: the package sharp is not installed)`,
    params: z.strictObject({
      image: upload({ types: TAKEN_TYPES, maxBytes: BYTES_MAX }).describe(
        'a JPEG, PNG, WebP, GIF, AVIF or TIFF; of several pictures in it the first',
      ),
      sizes: z
        .array(size)
        .min(1)
        .max(SIZES_MAX)
        .refine(sizes => new Set(sizes.map(String)).size === sizes.length, 'the same size twice')
        .default([[128, 128]])
        .describe('width and height of each copy, in pixels'),
      fit: z
        .enum(FITS)
        .default('inside')
        .describe('inside: all of it, never enlarged; cover: cut; contain: with a margin; fill: stretched'),
      format: z.enum(FORMATS).optional().describe('of the copies; left out: that of the image'),
    }),
    result: z.strictObject({
      format: z.enum(FORMATS).describe('of the original'),
      width: z.int().min(1).describe('of the original, upright'),
      height: z.int().min(1),
      sizes: z.array(
        z.strictObject({
          width: z.int().min(1),
          height: z.int().min(1),
          asked: size,
          artifact: z.string(),
          bytes: z.int().min(1),
        }),
      ),
      zip: z.string(),
    }),
    example: {
      image: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' },
      sizes: [[128, 128]] as [number, number][],
      fit: 'inside' as const,
    },
    maxConcurrency: AT_ONCE,
    limits: { softSeconds: 600, hardSeconds: 630 },
    run: async ({ image, sizes, fit, format = null }, context) =>
      makeThumbnails(await context.upload(image), { sizes, fit, format }, context),
  })
}
