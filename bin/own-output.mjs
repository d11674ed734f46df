// Handles output that nobody reads any more: `| head`, a log shipper that ended, a stopped terminal. Without this, a
// write to a pipe without a reader would end the process.

/** How much may wait for a slow reader, bytes; the rest is dropped. */
const WAITING_MAX = 1024 * 1024

/**
 * For a process that must live on: output that cannot be written is lost, and a slow reader blocks nothing. The files
 * of `DATA_DIR/logs` have everything too.
 */
export const dropUnreadOutput = () => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {})
    // Node's writes to a pipe block, so a reader that pauses would stop the supervisor
    const { _handle: handle } = /** @type {{ _handle?: { setBlocking?: (blocking: boolean) => void } }} */ (
      /** @type {unknown} */ (stream)
    )
    handle?.setBlocking?.(false)
    /** @type {(...words: never[]) => boolean} */
    const write = stream.write.bind(stream)
    stream.write = (/** @type {never[]} */ ...words) => stream.writableLength > WAITING_MAX || write(...words)
  }
}

/**
 * The message of an error.
 * @param {unknown} error
 */
export const messageOf = error => (error instanceof Error ? error.message : String(error))

/**
 * Why an output is incomplete, from the error of a write to it.
 * @param {NodeJS.ErrnoException} error
 */
export const cutOff = ({ code }) =>
  code === 'EPIPE'
    ? 'The output is cut off: its reader has ended'
    : `The output is cut off: it cannot be written (${code})`

/** Messages on standard error that nobody reads are lost, and do not end the process. */
export const ignoreStderrErrors = () => void process.stderr.on('error', () => {})

/**
 * For a tool that ends.
 * @param {(words: string) => void} tell called once when its result cannot be written
 */
export const watchOutput = tell => {
  ignoreStderrErrors()
  process.stdout.once('error', error => {
    process.stdout.on('error', () => {})
    tell(cutOff(error))
  })
}
