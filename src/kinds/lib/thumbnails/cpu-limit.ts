// Bounds a piece of work by the CPU that this process takes for it, which says the same on a busy machine.

const LOOK_MS = 100

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/**
 * What the promise gives. The work itself goes on when it is late: whoever started the process has to end it.
 * @param limit `seconds` of CPU of all threads; `late` makes the error
 * @throws what `late` makes
 */
export const withinCpu = async <T>(
  work: Promise<T>,
  { seconds, late }: { seconds: number; late: () => Error },
): Promise<T> => {
  const most = cpuSeconds() + seconds
  let timer: NodeJS.Timeout | undefined
  const watched = new Promise<never>((_resolve, reject) => {
    timer = setInterval(() => {
      if (cpuSeconds() > most) reject(late())
    }, LOOK_MS)
  })
  try {
    return await Promise.race([work, watched])
  } finally {
    clearInterval(timer)
  }
}
