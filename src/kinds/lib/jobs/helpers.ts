// Helper threads that do jobs: started when needed, one job at a time each, ended together.
import { resourceLimits, Worker } from 'node:worker_threads'
import type { JobName, Jobs } from './jobs.ts'

/** Sources need a loader in a thread; compiled files do not. */
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './boot.mjs' : './helper-main.js', import.meta.url)

export interface HelperRequest {
  name: JobName
  given: Jobs[JobName]['given']
}
export type HelperReply = { made: Jobs[JobName]['made'] } | { error: string }

export interface Helpers {
  /** Does a job in a free thread, or in a new one. @throws Error when the thread fails or the helpers are ended */
  perform<N extends JobName>(name: N, given: Jobs[N]['given']): Promise<Jobs[N]['made']>
  /** Ends all threads. Resolves when they are gone, which may take as long as one multiplication. Idempotent. */
  end(): Promise<void>
}

interface Helper {
  worker: Worker
  settle: { resolve: (made: Jobs[JobName]['made']) => void; reject: (error: Error) => void } | null
}

const explain = (error: unknown): Error =>
  (error as NodeJS.ErrnoException | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new Error('A helping thread used more memory than a task may (TASK_MEMORY_MB)')
    : error instanceof Error
      ? error
      : new Error(String(error))

/** The threads get the heap limit of the calling thread. */
export const createHelpers = (): Helpers => {
  const free: Helper[] = []
  const all = new Set<Helper>()
  let ending: Promise<void> | null = null

  const start = (): Helper => {
    const worker = new Worker(ENTRY, {
      name: 'helper',
      execArgv: [],
      argv: [],
      stdout: true,
      stderr: true,
      resourceLimits,
    })
    const helper: Helper = { worker, settle: null }
    all.add(helper)
    const fail = (error: unknown): void => {
      all.delete(helper)
      helper.settle?.reject(explain(error))
      helper.settle = null
    }
    worker.on('message', (reply: HelperReply) => {
      const { settle } = helper
      helper.settle = null
      free.push(helper)
      if ('made' in reply) settle?.resolve(reply.made)
      else settle?.reject(new Error(reply.error))
    })
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('A helping thread ended')))
    return helper
  }

  return {
    perform: <N extends JobName>(name: N, given: Jobs[N]['given']) =>
      new Promise<Jobs[N]['made']>((resolve, reject) => {
        if (ending) {
          reject(new Error('The helping threads have ended'))
          return
        }
        const helper = free.pop() ?? start()
        helper.settle = { resolve: made => resolve(made as Jobs[N]['made']), reject }
        helper.worker.postMessage({ name, given } satisfies HelperRequest)
      }),
    end() {
      ending ??= Promise.all([...all].map(helper => helper.worker.terminate())).then(() => {})
      return ending
    },
  }
}
