// What the decoder failed with, in words for people, without paths. Pure.
import type { DecoderEvent, DecoderRequest } from './decoder-protocol.ts'
import { ThumbnailError, type ThumbnailTrouble } from './thumbnail-error.ts'

const REASON = 300

const MISSING = `Images cannot be read on this machine (${process.platform}, ${process.arch}), since the package sharp does not load. Install it for this system in Madhava's folder, with npm install --include=optional sharp, and restart`

/** Sharp's own messages, which are libvips's in part. The first that fits counts. */
const KNOWN: readonly [RegExp, ThumbnailTrouble, string][] = [
  [
    /no space left|ENOSPC|disk quota|EDQUOT/i,
    'NO_SPACE',
    'There is no room on the disk for the copies of the image',
  ],
  [
    /out of memory|cannot allocate|bad_alloc/i,
    'IMAGE_TOO_LARGE',
    'The image takes more memory than a decoder may use',
  ],
  [/exceeds pixel limit/i, 'IMAGE_TOO_LARGE', 'The image has more pixels than are read'],
  [
    /unsupported image format|not a known|is blocked/i,
    'IMAGE_TYPE',
    'The bytes are no image of a format that is taken: JPEG, PNG, WebP, GIF, AVIF or TIFF',
  ],
]

/** One line without paths of this machine. */
const plain = (message: string, { image, folder }: DecoderRequest): string =>
  message
    .replaceAll(image, 'the image')
    .replaceAll(folder, '')
    .replace(/(?:\/[^\s/:'"]+){2,}/g, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, REASON)

/** The error of the task. What only an operator may read goes to `log`. */
export const explainFailure = (
  { code, message }: Extract<DecoderEvent, { is: 'failed' }>,
  request: DecoderRequest,
  log: (line: string) => void,
): ThumbnailError => {
  if (code === 'SHARP_MISSING') {
    log(plain(message, request))
    return new ThumbnailError('SHARP_MISSING', MISSING)
  }
  // our own words
  if (code === 'IMAGE_TYPE' || code === 'IMAGE_TOO_LARGE')
    return new ThumbnailError(code, plain(message, request))
  const known = KNOWN.find(([pattern]) => pattern.test(message))
  if (known) return new ThumbnailError(known[1], known[2])
  return new ThumbnailError(
    'IMAGE_BROKEN',
    `The image is cut off or damaged, and cannot be decoded: ${plain(message, request)}`,
  )
}
