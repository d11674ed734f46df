// Keeps a kind from ending the process that it shares with others. It may end only its own thread.

/** Signals that only test whether a process exists. */
const isQuestion = (signal: unknown): boolean => signal === 0 || signal === '0'

/** This process, its group, all processes, and the supervisor that restarts it. */
const isOurs = (pid: unknown): boolean => {
  const number = Number(pid)
  return [process.pid, -process.pid, process.ppid, -process.ppid, 0, -1].includes(number)
}

/** In a thread: makes `process.kill` refuse what would end the worker or its supervisor. */
export const guardProcess = (): void => {
  const { kill } = process
  process.kill = (pid: number, signal?: string | number): true => {
    if (isOurs(pid) && !isQuestion(signal))
      throw new Error(
        `A kind may not signal the process that it runs in (${pid}): other tasks run there too. Throw an error to end the run`,
      )
    return kill.call(process, pid, signal)
  }
}
