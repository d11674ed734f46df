// What the decoder's process is asked, as JSON in its argument, and what it says, as lines of JSON.
import { z } from 'zod'
import type { Format } from './formats.ts'
import { type Fit, PIXELS_MAX, type Size } from './measures.ts'

export interface DecoderRequest {
  /** The path of the picture. */
  image: string
  /** What its bytes begin as. */
  expected: Format
  sizes: readonly Size[]
  fit: Fit
  /** Of the copies. */
  format: Format
  /** Where the nth copy is written, under the name `n`. */
  folder: string
}

/** A picture may be one pixel wide. */
const side = z.int().min(1).max(PIXELS_MAX)

/** Checked where it arrives, since a picture may have taken the decoder over. */
export const decoderEvent = z.discriminatedUnion('is', [
  /** The picture is measured: upright. */
  z.strictObject({ is: z.literal('read'), width: side, height: side }),
  z.strictObject({
    is: z.literal('made'),
    index: z.int().min(0),
    width: side,
    height: side,
    bytes: z.int().min(1),
  }),
  /** `code`: of ThumbnailError; null: the message is sharp's. */
  z.strictObject({ is: z.literal('failed'), code: z.string().nullable(), message: z.string() }),
])
export type DecoderEvent = z.infer<typeof decoderEvent>
