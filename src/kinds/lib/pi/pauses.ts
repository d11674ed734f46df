// Pauses a computation: lets the event loop run, stops at a signal, and slows a short computation down to its pace.

/** How long a thread may compute without reading its messages. */
const SLICE_MS = 20

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })

export interface Pauses {
  /** Call it between pieces of work, with the share that is done. @throws the signal's reason */
  pause(fraction: number): Promise<void> | void
}

/** `from`: the share that an earlier attempt has done. */
export const createPauses = (signal: AbortSignal, paceMs: number, from = 0): Pauses => {
  let last = performance.now()
  const begun = last - paceMs * from
  const give = async (early: number): Promise<void> => {
    // a tight loop does not see the message that fires the signal
    await new Promise(resolve => setImmediate(resolve))
    signal.throwIfAborted()
    if (early >= SLICE_MS) await sleep(early, signal)
    last = performance.now()
  }
  return {
    pause(fraction) {
      const now = performance.now()
      const early = begun + paceMs * fraction - now
      if (early >= SLICE_MS || now - last >= SLICE_MS) return give(early)
    },
  }
}
