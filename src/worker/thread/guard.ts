// Keeps a kind from ending the process that it shares with others: of its own thread it may do away with, of no more.

/** Signals that only ask whether somebody is there. */
const isQuestion = (signal: unknown): boolean => signal === 0 || signal === '0'

/** This process, its group, everybody, and the supervisor that restarts it. */
const isOurs = (pid: unknown): boolean => {
  const number = Number(pid)
  return [process.pid, -process.pid, process.ppid, -process.ppid, 0, -1].includes(number)
}

/** In a thread: `process.kill` refuses what would end the worker or its supervisor. */
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
