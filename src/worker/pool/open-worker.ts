// Starts the thread itself: its entry, its memory, and what it gets to begin with.
import { Worker } from 'node:worker_threads'
import { threadEntry } from '../../platform/thread-entry.ts'
import type { ThreadData } from './protocol.ts'

const { file: ENTRY, argv } = threadEntry('../thread/thread-main', import.meta.url)

/**
 * Node gives a thread over its limit 16 MB more to end in, and aborts the whole process if that is not enough. What
 * one collection moves out of the young generation must fit; Node 24's default size does not.
 */
const YOUNG_MB = 16

/** @throws when the system refuses it at once */
export const openWorker = (data: ThreadData): Worker =>
  new Worker(ENTRY, {
    workerData: data,
    transferList: [data.port],
    name: 'task',
    // flags of this process (a loader, a test runner) are not for its threads
    execArgv: [],
    argv,
    // output that bypasses the redirection inside must not mix with this process's log
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: data.memoryMb, maxYoungGenerationSizeMb: YOUNG_MB },
  })
