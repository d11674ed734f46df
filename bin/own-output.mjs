// What becomes of a program whose output nobody takes any more: `| head`, a log shipper that ends, a terminal that is
// stopped. A write to a pipe without a reader is an error that would end the process.

/** So much may wait for a reader that is slow; what comes then is dropped. Bytes. */
const WAITING_MAX = 1024 * 1024

/**
 * For a process that must live on: output that cannot be written is lost, and one that is not read holds nothing up.
 * Everything also stands in the files of `DATA_DIR/logs`.
 */
export const outliveReaders = () => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {})
    // Node writes to a pipe at once and waits: a reader that only stops to read would stop the supervisor
    const { _handle: handle } = /** @type {{ _handle?: { setBlocking?: (blocking: boolean) => void } }} */ (
      /** @type {unknown} */ (stream)
    )
    handle?.setBlocking?.(false)
    /** @type {(...words: any[]) => boolean} */
    const write = stream.write.bind(stream)
    stream.write = (/** @type {any[]} */ ...words) => stream.writableLength > WAITING_MAX || write(...words)
  }
}

/**
 * What an error says.
 * @param {unknown} error
 */
export const messageOf = error => (error instanceof Error ? error.message : String(error))

/**
 * Why an output is not whole, for the error of a write to it.
 * @param {NodeJS.ErrnoException} error
 */
export const cutOff = ({ code }) =>
  code === 'EPIPE'
    ? 'The output is cut off: its reader has ended'
    : `The output is cut off: it cannot be written (${code})`

/** Words on standard error that nobody reads are lost, and end nothing. */
export const ignoreDeafErrors = () => void process.stderr.on('error', () => {})

/**
 * For a tool that ends.
 * @param {(words: string) => void} tell called once when its result cannot be written
 */
export const watchOutput = tell => {
  ignoreDeafErrors()
  process.stdout.once('error', error => {
    process.stdout.on('error', () => {})
    tell(cutOff(error))
  })
}
