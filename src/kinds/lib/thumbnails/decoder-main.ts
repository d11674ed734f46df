// The program of the decoder's process. It ends with code 0 when it has said what became of its request.
import { writeSync } from 'node:fs'
import { makeCopies, prepare } from './decoder.ts'
import type { DecoderEvent, DecoderRequest } from './decoder-protocol.ts'
import { ThumbnailError } from './thumbnail-error.ts'

const MESSAGE = 2_000

const tell = (event: DecoderEvent): void => {
  writeSync(1, `${JSON.stringify(event)}\n`)
}
const fail = (code: string | null, error: unknown): void => {
  const text = error instanceof Error ? error.message : String(error)
  tell({ is: 'failed', code, message: text.slice(0, MESSAGE) })
}

const request = JSON.parse(process.argv[2] ?? '') as DecoderRequest
const sharp = await import('sharp').then(
  module => module.default,
  (error: unknown) => fail('SHARP_MISSING', error),
)
if (sharp) {
  prepare(sharp)
  await makeCopies(sharp, request, tell).catch((error: unknown) =>
    fail(error instanceof ThumbnailError ? error.code : null, error),
  )
}
