// Puts a time limit on a promise.

/**
 * Gives the result of `work`. If `ms` milliseconds pass or the signal fires first, it gives what `onLate` returns or
 * throws. The work itself goes on, and its result is ignored. No timer is left behind.
 * @param onLate called with which of the two happened
 */
export const within = async <T, L>(
  ms: number,
  work: Promise<T>,
  onLate: (cause: 'time' | 'signal') => L,
  signal?: AbortSignal,
): Promise<T | L> => {
  let timer: NodeJS.Timeout | undefined
  let abort = (): void => {}
  const over = new Promise<'time' | 'signal'>(resolve => {
    timer = setTimeout(resolve, ms, 'time')
    abort = () => resolve('signal')
  })
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  try {
    return await Promise.race([work, over.then(onLate)])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
