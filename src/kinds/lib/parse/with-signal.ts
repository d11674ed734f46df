// Waits for a promise no longer than a signal lets it.

/** What the promise gives. @throws the signal's reason once it has fired; the promise then goes on alone */
export const withSignal = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  // what it ends with later is nobody's error
  promise.catch(() => undefined)
  signal.throwIfAborted()
  let stop = (): void => undefined
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
