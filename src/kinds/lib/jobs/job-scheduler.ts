// Schedules jobs in the order that a computation chooses, as many at a time as there are lanes.
import type { JobName, Jobs } from './jobs.ts'

export interface JobOrder {
  /** The waiting job with the lowest place is next. */
  place: number
  /** Passed to `done` after the job. */
  weight: number
}

export interface JobScheduler {
  /** @throws the reason given to `end` */
  make<N extends JobName>(name: N, given: Jobs[N]['given'], order: JobOrder): Promise<Jobs[N]['made']>
  /** Stops: all waiting callers get the reason. Idempotent. */
  end(reason: unknown): void
}

export interface JobSchedulerOptions {
  /** How many jobs may be under way; asked before each one. */
  lanes: () => number
  perform: <N extends JobName>(name: N, given: Jobs[N]['given']) => Jobs[N]['made'] | Promise<Jobs[N]['made']>
  /** Called after each job; the next one waits for it. If it throws, everything stops. */
  done: (weight: number) => Promise<void> | void
}

interface WaitingJob extends JobOrder {
  begin: () => Promise<void>
  give: () => void
  refuse: (reason: unknown) => void
}

/** Begins with the first job. */
export const createJobScheduler = ({ lanes, perform, done }: JobSchedulerOptions): JobScheduler => {
  const waiting: WaitingJob[] = []
  const open = new Set<WaitingJob>()
  let busy = 0
  let ended: { reason: unknown } | null = null

  const end = (reason: unknown): void => {
    if (ended) return
    ended = { reason }
    waiting.length = 0
    for (const job of open) job.refuse(reason)
    open.clear()
  }
  const work = async (job: WaitingJob): Promise<void> => {
    try {
      await job.begin()
      await done(job.weight)
      if (ended) return
      open.delete(job)
      job.give()
    } catch (error) {
      end(error)
    }
    busy -= 1
    pump()
  }
  const pump = (): void => {
    while (!ended && waiting.length > 0 && busy < Math.max(1, lanes())) {
      let first = 0
      for (const [index, job] of waiting.entries())
        if (job.place < (waiting[first]?.place ?? Number.POSITIVE_INFINITY)) first = index
      const [job] = waiting.splice(first, 1)
      if (!job) return
      busy += 1
      void work(job)
    }
  }

  return {
    make: <N extends JobName>(name: N, given: Jobs[N]['given'], order: JobOrder) =>
      new Promise<Jobs[N]['made']>((resolve, reject) => {
        if (ended) {
          reject(ended.reason)
          return
        }
        let made: { value: Jobs[N]['made'] } | null = null
        const job: WaitingJob = {
          ...order,
          begin: async () => {
            made = { value: await perform(name, given) }
          },
          give: () => {
            if (made) resolve(made.value)
          },
          refuse: reject,
        }
        open.add(job)
        waiting.push(job)
        // jobs added in one go are sorted together
        queueMicrotask(pump)
      }),
    end,
  }
}
