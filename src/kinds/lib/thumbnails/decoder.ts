// Reads one picture and writes copies of it. It runs in a process of its own: a picture may kill its decoder.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Metadata, Sharp, SharpOptions } from 'sharp'
import type { DecoderEvent, DecoderRequest } from './decoder-protocol.ts'
import type { Format } from './formats.ts'
import { PIXELS_MAX, refusalOf, refusalOfCopy, type Size, sizeOfCopy } from './measures.ts'
import { ThumbnailError } from './thumbnail-error.ts'

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
  const metadata = await sharp(image, { ...OPTIONS, limitInputPixels: false }).metadata()
  const found = formatOf(metadata)
  if (found !== expected)
    throw new ThumbnailError('IMAGE_TYPE', `The image begins as ${expected}, and its decoder reads ${found}`)
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
    const resized = sharp(image, OPTIONS)
      .autoOrient()
      // `inside` and `outside` are reckoned already, so that the sizes are known before anything is made
      .resize({ width, height, fit: fit === 'inside' || fit === 'outside' ? 'fill' : fit, background: CLEAR })
      .toColourspace('srgb')
    const made = await written(resized, format).toFile(file)
    tell({ is: 'made', index, width: made.width, height: made.height, bytes: (await stat(file)).size })
  }
}
