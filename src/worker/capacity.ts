// How many tasks a worker runs at a time and what each may use, from the settings and the limits of machine and
// container.
import { availableParallelism, totalmem } from 'node:os'
import { type ContainerLimits, readContainerLimits } from '../platform/cgroup.ts'

export interface CapacitySettings {
  /** Null: as many as fit. */
  concurrency: number | null
  /** The most heap of one task, megabytes. */
  taskMemoryMb: number
  /** Processes of the bundle in this container, without the supervisor. */
  roles: readonly unknown[]
}

export interface Resources {
  /** Usable cores; may be a fraction. */
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
/** Memory of one process of the bundle: some 40 MB idle, the rest for its work. */
const PROCESS_MB = 64
/** Memory of a thread besides its heap: room for a heap over its limit to end in, the young generation, the stack. */
const THREAD_MB = 32
/** With less heap than this per slot, there are fewer slots. */
const SLOT_MB = 96
/** A thread does not start with less. */
const LEAST_MB = 16

/**
 * The heaps of all slots together fit into the memory that the processes leave. So a task that uses too much fails
 * alone and does not take the container with it. If the settings name the slots, their heaps get smaller.
 */
export const capacityOf = (settings: CapacitySettings, resources: Resources): Capacity => {
  const cores = Math.max(1, Math.ceil(resources.cores))
  // the supervisor is a process too, and a worker's store has a thread
  const freeMb = resources.memoryBytes / MB - PROCESS_MB * (settings.roles.length + 1) - THREAD_MB
  const fitting = Math.floor(freeMb / (Math.min(SLOT_MB, settings.taskMemoryMb) + THREAD_MB))
  const slots = settings.concurrency ?? Math.max(1, Math.min(cores, fitting))
  const heapMb = Math.floor(freeMb / slots) - THREAD_MB
  const taskMemoryMb = Math.max(LEAST_MB, Math.min(settings.taskMemoryMb, heapMb))
  return { slots, taskMemoryMb, cores }
}

/** The lower of what the machine has and what the container allows. */
export const usableResources = (machine: Resources, limits: ContainerLimits | null): Resources => ({
  cores: Math.min(
    machine.cores,
    limits?.cpuCores ?? Number.POSITIVE_INFINITY,
    limits?.cpusetCores ?? Number.POSITIVE_INFINITY,
  ),
  memoryBytes: Math.min(machine.memoryBytes, limits?.memoryLimitBytes ?? Number.POSITIVE_INFINITY),
})

/** The capacity of a worker in this process. */
export const measureCapacity = async (settings: CapacitySettings): Promise<Capacity> => {
  const machine = { cores: availableParallelism(), memoryBytes: totalmem() }
  return capacityOf(settings, usableResources(machine, await readContainerLimits()))
}
