// Why there are no thumbnails: for people in the message, for programs in the code, which the record keeps as a name.

export type ThumbnailTrouble =
  /** The bytes are of no format that is taken, or not of the one that they begin as. */
  | 'IMAGE_TYPE'
  /** More pixels, or more memory, than is allowed. */
  | 'IMAGE_TOO_LARGE'
  /** Cut off, or damaged. */
  | 'IMAGE_BROKEN'
  | 'DECODER_DIED'
  | 'SHARP_MISSING'
  | 'NO_SPACE'

export class ThumbnailError extends Error {
  readonly code: ThumbnailTrouble
  constructor(code: ThumbnailTrouble, message: string) {
    super(message)
    this.name = 'ThumbnailError'
    this.code = code
  }
}
