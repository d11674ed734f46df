// What a long computation looks like from outside: a generator, so that its caller decides about pauses, progress
// and cancelling, and the computation itself stays arithmetic.

export interface Step {
  /** Share of the work that is done, 0 to 1; never falls unless the work had to be taken up anew. */
  fraction: number
  /** What is known so far. Computed only when asked for, valid until the next step. */
  partial: () => string
}

/** Yields after each piece of work (well below 20 ms), returns the result. */
export type Computation = Generator<Step, string, void>

export interface DriveOptions {
  signal: AbortSignal
  /** Stretches a shorter computation over about so many milliseconds; 0: as fast as it goes. */
  paceMs: number
  progress: (percent: number, partial: string) => void
}

/** How long a thread may compute without looking at its messages. */
const SLICE_MS = 20

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
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

/** Runs a computation to its end, giving way to the event loop every 20 ms. @throws the signal's reason */
export const drive = async (computation: Computation, options: DriveOptions): Promise<string> => {
  const { signal, paceMs, progress } = options
  const begun = performance.now()
  let lastPause = begun
  for (;;) {
    const step = computation.next()
    if (step.done) return step.value
    const now = performance.now()
    const early = begun + paceMs * step.value.fraction - now
    if (early < SLICE_MS && now - lastPause < SLICE_MS) continue
    progress(100 * step.value.fraction, step.value.partial())
    // a tight loop does not see the message that fires the signal
    await new Promise(resolve => setImmediate(resolve))
    signal.throwIfAborted()
    if (early >= SLICE_MS) await pause(early, signal)
    lastPause = performance.now()
  }
}
