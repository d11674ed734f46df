// Sends a file to the server, in pieces that go on where they broke off, with a bar for who looks.
import { openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Client, Upload } from '../../client/client.ts'
import { isTemporary } from '../../client/errors.ts'
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'
import { barText, speaksUtf8 } from '../terminal/bar.ts'
import { createLiveLines } from '../terminal/live-lines.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { durationText, sizeText } from '../terminal/words.ts'

export interface SendOptions {
  name?: string
  /** An upload that was begun before. */
  resume?: string
}

/** A bar of bytes, and what it takes to draw it. */
export const createByteBar = (c: Console, what: string) => {
  const isPlain = !speaksUtf8(c.machine.env)
  const lines = c.err.canRedraw && !c.isJson ? createLiveLines(c.err) : null
  const begun = performance.now()
  let first: number | null = null
  return {
    show(bytes: number, total: number | null): void {
      first ??= bytes
      const secondsSince = (performance.now() - begun) / 1000
      const rate = secondsSince > 0.5 ? (bytes - first) / secondsSince : 0
      const left = total !== null && rate > 0 ? `${durationText((total - bytes) / rate)} left` : ''
      const percent = total === null || total === 0 ? 100 : (100 * bytes) / total
      const words = [
        oneLine(what),
        total === null ? sizeText(bytes) : `${sizeText(bytes)} of ${sizeText(total)}`,
        rate > 0 ? `${sizeText(rate)}/s` : '',
        left,
      ]
      lines?.draw([
        `${barText(percent, Math.min(30, Math.floor(c.err.columns / 3)), isPlain)}  ${words.filter(Boolean).join('  ')}`,
      ])
    },
    clear: () => lines?.clear(),
  }
}

/** @throws ConsoleError when the file cannot be read; what the client throws */
export const sendFile = async (
  c: Console,
  client: Client,
  file: string,
  { name = path.basename(file), resume }: SendOptions = {},
): Promise<Upload> => {
  const info = await stat(file).catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`)
  })
  if (!info.isFile()) throw usage(`${file} is no ordinary file`)
  const source = await openAsBlob(file).catch((error: Error) => {
    throw usage(`${file} cannot be read: ${error.message}`)
  })
  const bar = createByteBar(c, name)
  let id: string | null = null
  try {
    return await client.uploadResumable(source, {
      name,
      signal: c.signal,
      ...(resume === undefined ? {} : { id: resume }),
      onProgress(progress) {
        id = progress.id
        bar.show(progress.bytes, progress.total)
      },
    })
  } catch (error) {
    bar.clear()
    if (id !== null && (isTemporary(error) || c.signal.aborted))
      c.tell(
        `A part is there already; this goes on with it: madhava upload ${JSON.stringify(file)} --resume ${id}`,
      )
    throw error
  } finally {
    bar.clear()
  }
}
