// A promise with a time limit. Knows nothing of what is waited for.

/**
 * What `work` gives, or what `onLate` gives or throws once `ms` milliseconds are over or the signal has fired,
 * whichever comes first. The work itself goes on; what becomes of it then is ignored. No timer is left behind.
 * @param onLate told which of the two it was
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
