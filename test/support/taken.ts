// A taken task whose slot is free when it is done, as of one with a large result.
import type { Taken } from '../../src/core/queue.ts'

export const takenUntil = (done: Promise<void>): Taken => ({ free: done, done })
