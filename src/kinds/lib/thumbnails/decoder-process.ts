// Starts the decoder's process for one picture, passes on what it says, and says in words how it ended. It never
// outlives the call.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type DecoderEvent, type DecoderRequest, decoderEvent } from './decoder-protocol.ts'
import { explainFailure } from './explain-failure.ts'
import { ThumbnailError } from './thumbnail-error.ts'

/** Sources need a loader in a process; compiled files do not. */
const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './boot.mjs' : './decoder-main.js', import.meta.url),
)
/** KiB of the process's own data. A picture of the most pixels takes less in each format. */
const DATA_KIB = 768 * 1024
/**
 * The limit holds what the check of the pixels cannot foresee. If the machine, or its container, still runs out of
 * memory, the kernel ends this process before all others. A decoder that dies leaves no image of its memory. Systems
 * that lack one of these start the process without it.
 */
const LIMITED = `{ echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null
{ ulimit -d ${DATA_KIB}; ulimit -c 0; } 2>/dev/null
exec "$@"`
const SAID_MAX = 64 * 1024
const LINES_LOGGED = 5

type End = { code: number | null; signal: string | null } | { error: Error }

const start = (request: DecoderRequest): ChildProcessByStdio<null, Readable, Readable> => {
  // its script needs little heap; pictures are outside of it
  const program = [process.execPath, '--max-old-space-size=64', PROGRAM, JSON.stringify(request)]
  return spawn('/bin/sh', ['-c', LIMITED, 'sh', ...program], {
    // whoever takes the decoder over finds no secrets in its environment; libvips puts its own files into TMPDIR
    env: { TMPDIR: request.folder },
    cwd: request.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const eventOf = (line: string): DecoderEvent => {
  try {
    return decoderEvent.parse(JSON.parse(line))
  } catch {
    throw new ThumbnailError('DECODER_DIED', 'The decoder of the image said what it never says')
  }
}

/** The lines of a stream, each an event. */
async function* eventsOf(stream: AsyncIterable<string>): AsyncGenerator<DecoderEvent> {
  let open = ''
  let length = 0
  for await (const text of stream) {
    length += text.length
    if (length > SAID_MAX) throw new ThumbnailError('DECODER_DIED', 'The decoder of the image said too much')
    const lines = (open + text).split('\n')
    open = lines.pop() ?? ''
    for (const line of lines) yield eventOf(line)
  }
}

const explainEnd = (end: End): ThumbnailError => {
  if ('error' in end)
    return new ThumbnailError(
      'DECODER_DIED',
      `The decoder's process could not be started: ${end.error.message}`,
    )
  if (end.signal === 'SIGKILL')
    return new ThumbnailError(
      'DECODER_DIED',
      'The decoder of the image was killed (SIGKILL), perhaps because memory was short',
    )
  const how = end.signal ?? `exit code ${end.code}`
  return new ThumbnailError('DECODER_DIED', `The image has killed its decoder (${how})`)
}

/**
 * Makes the copies, and says so as they are made. `log` gets what the process prints in its trouble.
 * @throws ThumbnailError; the signal's reason once it has fired
 */
export async function* decode(
  request: DecoderRequest,
  signal: AbortSignal,
  log: (line: string) => void,
): AsyncGenerator<Exclude<DecoderEvent, { is: 'failed' }>> {
  signal.throwIfAborted()
  const child = start(request)
  const stop = (): void => void child.kill('SIGKILL')
  signal.addEventListener('abort', stop, { once: true })
  const ended = new Promise<End>(resolve => {
    child.once('error', error => child.pid === undefined && resolve({ error }))
    child.once('close', (code, name) => resolve({ code, signal: name }))
  })
  let trouble = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    trouble = (trouble + text).slice(-4_000)
  })
  let made = 0
  try {
    for await (const event of eventsOf(child.stdout.setEncoding('utf8'))) {
      if (event.is === 'failed') throw explainFailure(event, request, log)
      if (event.is === 'made' && event.index !== made++)
        throw new ThumbnailError('DECODER_DIED', 'The decoder of the image said what it never says')
      yield event
    }
    const end = await ended
    signal.throwIfAborted()
    if (made < request.sizes.length || 'error' in end || end.code !== 0) throw explainEnd(end)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ThumbnailError) throw error
    // the stream of a process that could not be started breaks off
    stop()
    throw explainEnd(await ended)
  } finally {
    stop()
    signal.removeEventListener('abort', stop)
    await ended
    for (const line of trouble
      .split('\n')
      .filter(text => text.trim() !== '')
      .slice(-LINES_LOGGED))
      log(line)
  }
}
