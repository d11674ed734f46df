// An iteration that ends as soon as a signal fires, even while its source is silent.

/** The same values. @throws the signal's reason; what the source throws */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  let fire: () => void = () => {}
  const fired = new Promise<never>((_, reject) => {
    fire = () => reject(signal.reason)
  })
  // nobody may be waiting when it fires
  fired.catch(() => {})
  if (signal.aborted) fire()
  signal.addEventListener('abort', fire, { once: true })
  try {
    for (;;) {
      const step = await Promise.race([fired, iterator.next()])
      if (step.done) return
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', fire)
    // a source that is silent answers when it pleases
    Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
