// Sends bytes with PATCH and tells how many have gone. Of fetch no browser tells that.
import { away, type ProblemError, pageToken, problemOf } from './api.ts'

/** Nothing has moved for so long: the connection is as good as gone. */
const SILENCE_MS = 60_000

/**
 * @param went bytes of this piece that have left so far
 * @returns the body of the answer
 * @throws ProblemError, and the signal's reason
 */
export const sendPiece = (
  path: string,
  piece: Blob,
  went: (bytes: number) => void,
  signal: AbortSignal,
): Promise<string> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    let quiet: ReturnType<typeof setTimeout> | undefined
    const moved = (): void => {
      clearTimeout(quiet)
      quiet = setTimeout(() => request.abort(), SILENCE_MS)
    }
    const stop = (): void => request.abort()
    const fail = (problem: ProblemError): void => reject(signal.aborted ? (signal.reason as Error) : problem)
    request.upload.onprogress = ({ loaded }) => {
      moved()
      went(loaded)
    }
    request.onload = () => {
      const { status, responseText } = request
      if (status >= 200 && status < 300) resolve(responseText)
      else fail(problemOf(status, responseText))
    }
    request.onerror = () => fail(away())
    request.onabort = () => fail(away())
    request.onloadend = () => {
      clearTimeout(quiet)
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', stop)
    request.open('PATCH', path)
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('X-CSRF-Token', pageToken())
    // not the browser's guess, which the server does not need
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    moved()
    request.send(piece)
  })
