// Reads one picture and writes copies of it. It runs in a process of its own: a picture may kill its decoder.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Metadata, Sharp, SharpOptions } from 'sharp'
import { withinCpu } from './cpu-limit.ts'
import type { DecoderEvent, DecoderRequest } from './decoder-protocol.ts'
import type { Format } from './formats.ts'
import { cutForCover, PIXELS_MAX, refusalOf, refusalOfCopy, type Size, sizeOfCopy } from './measures.ts'
import { ThumbnailError } from './thumbnail-error.ts'

/**
 * libvips looks at all pages and frames, takes time with the square of their number, and does so once more for each
 * copy.
 */
const PAGES_MAX = 10_000
/** Of CPU, for the head of a picture: for what has too many of anything. */
const HEAD_SECONDS = 5

type SharpModule = typeof import('sharp').default

/** All that may read here. There are loaders of SVG, PDF and more, and the bytes would choose one. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map(name => `VipsForeignLoad${name}File`)

const OPTIONS: SharpOptions = {
  limitInputPixels: PIXELS_MAX,
  unlimited: false,
  // what is cut off or broken is refused, instead of a copy that is grey below
  failOn: 'error',
  // the picture passes through in rows, where its format allows it
  sequentialRead: true,
  animated: false,
}

const WHITE = { r: 255, g: 255, b: 255, alpha: 1 }
const CLEAR = { ...WHITE, alpha: 0 }

/** One thread, no cache, and no other loaders than those of our formats. */
export const prepare = (sharp: SharpModule): void => {
  sharp.concurrency(1)
  sharp.cache(false)
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: LOADERS })
}

const formatOf = ({ format, compression }: Metadata): string =>
  format === 'heif' && compression === 'av1' ? 'avif' : format

const written = (picture: Sharp, format: Format): Sharp => {
  switch (format) {
    case 'jpeg':
      return picture.flatten({ background: WHITE }).jpeg({ quality: 82 })
    case 'png':
      return picture.png()
    case 'webp':
      return picture.webp({ quality: 82 })
    case 'gif':
      return picture.gif({ effort: 3 })
    case 'avif':
      return picture.avif({ quality: 55, effort: 2 })
    case 'tiff':
      return picture.tiff({ compression: 'lzw' })
  }
}

/** Writes the copies one after another, and tells of each. @throws what sharp throws; ThumbnailError */
export const makeCopies = async (
  sharp: SharpModule,
  { image, expected, sizes, fit, format, folder }: DecoderRequest,
  tell: (event: DecoderEvent) => void,
): Promise<void> => {
  // only the head is read here, and the refusal says how large the picture is
  const metadata = await withinCpu(sharp(image, { ...OPTIONS, limitInputPixels: false }).metadata(), {
    seconds: HEAD_SECONDS,
    late: () =>
      new ThumbnailError(
        'IMAGE_TOO_LARGE',
        `The image took more than ${HEAD_SECONDS} s before its first pixel. It may have too many pages, frames or comments`,
      ),
  })
  const found = formatOf(metadata)
  if (found !== expected)
    throw new ThumbnailError('IMAGE_TYPE', `The image begins as ${expected}, and its decoder reads ${found}`)
  if ((metadata.pages ?? 1) > PAGES_MAX)
    throw new ThumbnailError(
      'IMAGE_TOO_LARGE',
      `The image has ${metadata.pages} pages or frames. That is too many: at most ${PAGES_MAX} are looked at`,
    )
  const stored: Size = [metadata.width, metadata.height]
  const tooLarge = refusalOf(stored, expected)
  if (tooLarge !== null) throw new ThumbnailError('IMAGE_TOO_LARGE', tooLarge)
  const { width: uprightWidth, height: uprightHeight } = metadata.autoOrient
  const copies = sizes.map(asked => sizeOfCopy([uprightWidth, uprightHeight], asked, fit))
  const refused = copies.map(refusalOfCopy).find(reason => reason !== null)
  if (refused) throw new ThumbnailError('IMAGE_TOO_LARGE', refused)
  tell({ is: 'read', width: uprightWidth, height: uprightHeight })

  for (const [index, [width, height]] of copies.entries()) {
    const file = path.join(folder, String(index))
    const cut = fit === 'cover' ? cutForCover([uprightWidth, uprightHeight], [width, height]) : null
    const upright = sharp(image, OPTIONS).autoOrient()
    const resized = (cut === null ? upright : upright.extract(cut))
      // `inside` and `outside` are reckoned already, so that the sizes are known before anything is made
      .resize({ width, height, fit: fit === 'inside' || fit === 'outside' ? 'fill' : fit, background: CLEAR })
      .toColourspace('srgb')
    const made = await written(resized, format).toFile(file)
    tell({ is: 'made', index, width: made.width, height: made.height, bytes: (await stat(file)).size })
  }
}
