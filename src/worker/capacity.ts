// How many tasks a worker runs at a time and what each may use, from the settings and from what the machine or the
// container has. It decides nothing about tasks.
import { availableParallelism, totalmem } from 'node:os'
import { type ContainerLimits, readContainerLimits } from '../platform/cgroup.ts'

export interface CapacityWishes {
  /** Null: as many as fit. */
  concurrency: number | null
  /** Heap of one task at the most, megabytes. */
  taskMemoryMb: number
  /** Processes of the bundle in this container, the supervisor not counted. */
  roles: readonly unknown[]
}

export interface Room {
  /** Cores that may be used, 1.5 for one and a half. */
  cores: number
  memoryBytes: number
}

export interface Capacity {
  /** Tasks at a time. */
  slots: number
  /** Heap of one task, megabytes. */
  taskMemoryMb: number
  /** Whole cores. */
  cores: number
}

const MB = 1024 ** 2
/** What a process of the bundle keeps for itself: some 40 MB idle, the rest for its lists and its work. */
const PROCESS_MB = 64
/** What a thread takes besides its heap: what a heap over its limit may have to end in, the young generation, the stack. */
const THREAD_MB = 32
/** With less heap than that for each, there are fewer slots instead. */
const SLOT_MB = 96
/** Less does not start a thread. */
const LEAST_MB = 16

/**
 * Heaps of all slots together stay within what the processes leave of the memory, so that a task which uses too much
 * fails alone instead of taking the container with it. A wish for slots is kept, and their heaps get smaller.
 */
export const capacityOf = (wishes: CapacityWishes, room: Room): Capacity => {
  const cores = Math.max(1, Math.ceil(room.cores))
  // the supervisor is a process too, and the store of a worker has a thread
  const freeMb = room.memoryBytes / MB - PROCESS_MB * (wishes.roles.length + 1) - THREAD_MB
  const fitting = Math.floor(freeMb / (Math.min(SLOT_MB, wishes.taskMemoryMb) + THREAD_MB))
  const slots = wishes.concurrency ?? Math.max(1, Math.min(cores, fitting))
  const heapMb = Math.floor(freeMb / slots) - THREAD_MB
  const taskMemoryMb = Math.max(LEAST_MB, Math.min(wishes.taskMemoryMb, heapMb))
  return { slots, taskMemoryMb, cores }
}

/** The lowest of what the machine has and what limits this process. */
export const roomOf = (machine: Room, limits: ContainerLimits | null): Room => ({
  cores: Math.min(
    machine.cores,
    limits?.cpuCores ?? Number.POSITIVE_INFINITY,
    limits?.cpusetCores ?? Number.POSITIVE_INFINITY,
  ),
  memoryBytes: Math.min(machine.memoryBytes, limits?.memoryLimitBytes ?? Number.POSITIVE_INFINITY),
})

/** The capacity of a worker in this process. */
export const measureCapacity = async (wishes: CapacityWishes): Promise<Capacity> => {
  const machine = { cores: availableParallelism(), memoryBytes: totalmem() }
  return capacityOf(wishes, roomOf(machine, await readContainerLimits()))
}
