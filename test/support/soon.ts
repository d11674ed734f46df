// Waiting with a bound, generous enough for a loaded machine.

/** A promise that fails after a generous time instead of hanging the run. */
export const soon = <T>(promise: Promise<T>, what: string): Promise<T> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It never came: ${what}`)), 120_000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
