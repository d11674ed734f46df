// Recognises what a host is short of by error codes. Such an error says nothing about the task that met it.

const SHORT_OF: Readonly<Record<string, string>> = {
  EMFILE: 'file descriptors of this process (EMFILE)',
  ENFILE: 'file descriptors of the whole machine (ENFILE)',
  ENOMEM: 'memory (ENOMEM)',
  EAGAIN: 'threads or memory (EAGAIN)',
  ENOBUFS: 'buffers of the kernel (ENOBUFS)',
  ENOSPC: 'room on a disk, or watches of files (ENOSPC)',
  EIO: 'a disk that can be read (EIO)',
  ERR_WORKER_INIT_FAILED: 'what a thread is made of',
  ERR_WORKER_OUT_OF_MEMORY: 'memory of a thread (TASK_MEMORY_MB)',
}
const MAX_CAUSES = 8

/** What was short, if the error or one of its causes says so; else null. Never throws. */
export const shortageOf = (error: unknown): string | null => {
  try {
    for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < MAX_CAUSES; depth++) {
      const { code, message, cause } = at as { code?: unknown; message?: unknown; cause?: unknown }
      const words = typeof code === 'string' && Object.hasOwn(SHORT_OF, code) ? SHORT_OF[code] : undefined
      if (words !== undefined)
        return code === 'ERR_WORKER_INIT_FAILED' ? `${words}: ${String(message)}` : words
      at = cause
    }
  } catch {
    // a getter of a foreign error threw
  }
  return null
}

/** Why something could not be started, for people, from any thrown value. */
export const whyNotStarted = (error: unknown): string => {
  const short = shortageOf(error)
  if (short !== null) return `short of ${short}`
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}
