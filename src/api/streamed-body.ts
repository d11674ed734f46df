// A generator of bytes as the body of an answer: pulled at the pace of the client, ended when the client leaves.
import type { Log } from '../platform/log.ts'

/**
 * Waits for the first chunk, so that what fails at once still becomes a proper error answer. What fails later
 * breaks the connection off, since the status has been sent; the reason goes to the log only.
 */
export const streamOf = async (
  chunks: AsyncGenerator<Uint8Array>,
  log: Log,
  requestId: string,
): Promise<ReadableStream<Uint8Array>> => {
  let ahead: IteratorResult<Uint8Array> | null = await chunks.next()
  // a pull may be under way when the client leaves: what comes of it then is for nobody
  let left = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = ahead ?? (await chunks.next())
          ahead = null
          if (left) return
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          if (left) return
          log.error({ requestId, error }, 'an answer broke off')
          controller.error(new Error('The answer broke off'))
        }
      },
      async cancel() {
        left = true
        await chunks.return(undefined)
      },
    },
    // nothing is read ahead of the client
    { highWaterMark: 0 },
  )
}
