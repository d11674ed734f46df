// Parts of a log by bytes, as supervisord's methods ask for them. What is sent is text: colours are left out, and what
// XML or a terminal cannot bear is shown as a sign.
import { openPlain } from '../../platform/plain-file.ts'
import { showText } from '../logs/lines.ts'
import { fault } from './faults.ts'

/** What one answer has of a log at the most, bytes. */
const MOST = 1024 * 1024

const readAt = async (file: string, offset: number, length: number): Promise<string> => {
  const { handle } = await openPlain(file)
  try {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, MOST)))
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
    return showText(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

const sizeOf = async (file: string): Promise<number> => {
  const { handle, info } = await openPlain(file)
  await handle.close()
  return info.size
}

/**
 * `length` bytes from `offset`, 0: to the end. A negative offset: so many bytes from the end, and `length` is 0.
 * @throws Fault NO_FILE, BAD_ARGUMENTS
 */
export const readLogBytes = async (file: string | null, offset: number, length: number): Promise<string> => {
  if (length < 0 || (offset < 0 && length !== 0)) throw fault('BAD_ARGUMENTS')
  if (file === null) throw fault('NO_FILE')
  const size = await sizeOf(file).catch(() => {
    throw fault('NO_FILE')
  })
  if (offset >= 0) return readAt(file, offset, length === 0 ? Math.max(0, size - offset) : length)
  const wanted = Math.min(-offset, size, MOST)
  return readAt(file, size - wanted, wanted)
}

/**
 * The last bytes before the end: text, the end as an offset, and whether there was more than `length` after `offset`.
 */
export const tailLogBytes = async (
  file: string | null,
  offset: number,
  length: number,
): Promise<[string, number, boolean]> => {
  const size = file === null ? null : await sizeOf(file).catch(() => null)
  if (file === null || size === null) return ['', 0, false]
  const most = Math.min(Math.max(0, length), MOST)
  const overflow = size > offset + most
  const from = overflow ? Math.max(0, size - most) : Math.max(0, Math.min(offset, size))
  return [await readAt(file, from, size - from), size, overflow]
}
