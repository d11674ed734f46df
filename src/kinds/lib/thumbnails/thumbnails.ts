// Makes the copies of one picture and keeps them with the task: each for itself, and all in a zip with the original.
import { createReadStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { TaskContext, UploadedFile } from '../../../core/kind.ts'
import { decode } from './decoder-process.ts'
import { FACTS, type Format, formatOfType } from './formats.ts'
import type { Fit, Size } from './measures.ts'
import { nameOfCopy, nameOfOriginal } from './names.ts'
import { ThumbnailError } from './thumbnail-error.ts'
import { zipOf } from './zip.ts'

export const ZIP = 'thumbnails.zip'

interface Request {
  sizes: readonly Size[]
  fit: Fit
  /** Null: that of the picture. */
  format: Format | null
}

interface Copy {
  width: number
  height: number
  asked: [number, number]
  artifact: string
  bytes: number
}

export interface Thumbnails {
  /** Of the original. */
  format: Format
  /** Of the original, upright. */
  width: number
  height: number
  sizes: Copy[]
  zip: string
}

const kindOf = ({ type }: UploadedFile): Format => {
  const found = formatOfType(type)
  if (found !== null) return found
  throw new ThumbnailError('IMAGE_TYPE', `The upload is ${type}, and no image of a format that is taken`)
}

/** @throws ThumbnailError, and what the context throws */
export const makeThumbnails = async (
  file: UploadedFile,
  { sizes, fit, format }: Request,
  context: TaskContext,
): Promise<Thumbnails> => {
  const { signal } = context
  const steps = sizes.length + 2
  const begin = (step: number, note: string): void => context.progress((100 * step) / steps, note)
  const noteOf = (index: number): string => sizes[index]?.join('x') ?? ZIP

  begin(0, 'reading')
  const expected = kindOf(file)
  const made = format ?? expected
  const image = await file.path()
  const folder = path.join(context.scratch, 'copies')
  await mkdir(folder, { recursive: true })
  const open = (index: number) => createReadStream(path.join(folder, String(index)))

  let original: Size = [0, 0]
  const copies: Copy[] = []
  const request = { image, expected, sizes, fit, format: made, folder }
  for await (const event of decode(request, signal, line => context.log(line, 'warn'))) {
    if (event.is === 'read') {
      original = [event.width, event.height]
      begin(1, noteOf(0))
      continue
    }
    const { index, width, height } = event
    const asked = sizes[index]
    if (asked === undefined) break
    const name = nameOfCopy(asked, made)
    const { bytes } = await context.artifact(name, open(index), { type: FACTS[made].type })
    copies.push({ width, height, asked: [asked[0], asked[1]], artifact: name, bytes })
    begin(index + 2, noteOf(index + 1))
  }

  const first = {
    name: nameOfOriginal(file.name, expected),
    bytes: file.bytes,
    open: () => file.stream(),
  }
  const others = copies.map(({ artifact, bytes }, index) => ({
    name: artifact,
    bytes,
    open: () => open(index),
  }))
  signal.throwIfAborted()
  await context.artifact(ZIP, zipOf([first, ...others]), { type: 'application/zip' })
  return { format: expected, width: original[0], height: original[1], sizes: copies, zip: ZIP }
}
