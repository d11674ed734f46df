// Puts the worker together: threads, runner, slots, sweeper; and closes them in order.
import { hostname } from 'node:os'
import { createFailures } from '../core/failures.ts'
import type { KindSettings } from '../core/kind.ts'
import type { TaskQueue } from '../core/queue.ts'
import type { Service } from '../core/service.ts'
import type { PresenceDetails, TaskStore } from '../core/store.ts'
import type { ResultLimits } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { storeHash } from '../platform/process-mark.ts'
import { createAccountTasks } from './account-tasks.ts'
import { createThreads } from './pool/pool.ts'
import { createProcessKeeper } from './processes/attempt-processes.ts'
import { createLeftovers, wasTakenOver } from './processes/end-leftovers.ts'
import { createRunner, type WorkerKinds } from './runner.ts'
import { createScratch } from './scratch.ts'
import { openSlots } from './slots.ts'
import { createSweeper } from './sweeper.ts'
import { createUploadSweep } from './upload-sweep.ts'
import { createWakeTimer } from './wake-timer.ts'

export interface WorkerOptions {
  /** Tasks at a time. */
  slots: number
  /** Heap of one task's thread. */
  taskMemoryMb: number
  /** Whole cores that the tasks share. */
  cores: number
  /** How long a close waits for running tasks before it gives them back. */
  drainMs: number
  results: ResultLimits
  /** The most bytes of an artifact; left out: 1 GiB. */
  artifactMaxBytes?: number
  /** Where attempts have folders of their own. Other workers may use it too. */
  scratchDir: string
  kindSettings: KindSettings
  /** How long ended tasks are kept, how many, and how many bytes; null: no limit. */
  retentionMs: number
  /** The same for tasks in FAILURE; left out: like the others. */
  retentionFailedMs?: number
  retentionCount: number
  retentionBytes: number | null
  /** How long the audit is kept; null or left out: for good. */
  auditMs?: number | null
  /** How long an upload stays that no task names; left out: a day. */
  uploadTtlMs?: number
}

export interface WorkerParts {
  store: TaskStore
  /** Equal for all workers of one store on this host. */
  storePlace: string
  queue: TaskQueue
  service: Service
  kindSets: WorkerKinds
  /** Names the files of kinds where they lie, in a text for people; left out: it stays as it is. */
  plainText?: (text: string) => string
  clock: () => Date
}

export interface Worker {
  /** For the presence. */
  details(): Partial<PresenceDetails>
  /** Takes no more tasks, waits for running ones or gives them back. Idempotent. */
  close(): Promise<void>
}

/** More brought no gain: round trips to the store overlap, and its writes are batched already. */
const AHEAD = 16
const DAY_MS = 24 * 60 * 60_000

const troublesOf = (all: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).flatMap(([part, words]) => (words === null ? [] : [[part, words]])))

/** Takes tasks as soon as it is open. */
export const openWorker = (options: WorkerOptions, parts: WorkerParts, log: Log): Worker => {
  const { store, queue, service, kindSets, clock, plainText = text => text } = parts
  const { kinds } = kindSets
  const { slots: size, taskMemoryMb: memoryMb, cores, results, kindSettings: settings } = options
  const storeId = storeHash(parts.storePlace)
  const keeper = createProcessKeeper({
    store: storeId,
    onLeft: processes => log.error({ processes }, 'processes that a task has started cannot be ended'),
  })
  let shortage: string | null = null
  let capacity = size
  const threads = createThreads({
    ...{ size, memoryMb, cores, results, settings, keeper },
    onLateEvent({ kind, id, what, text: said }) {
      const text = plainText(said)
      if (what === 'threw')
        log.warn(
          { kind, id, reason: text },
          'code of a task that is over threw; its thread ends after the task that runs there',
        )
      else log.info({ kind, id, text }, 'code of a task that is over printed')
    },
    // a task taken without a thread would have to be given back at once
    onCapacity(now) {
      capacity = now
      slots.resize(now)
    },
    onShortage(reason) {
      shortage = reason
      if (reason === null) log.info('threads can be started again')
      else log.warn({ reason }, 'no thread can be started; tasks wait, and nothing is counted')
    },
  })
  const leftovers = createLeftovers({ store: storeId, log })
  const clean = leftovers.end()
  const scratch = createScratch({ dir: options.scratchDir, store, storeId, clock, log })
  void clean.then(scratch.sweep)
  const wakeTimer = createWakeTimer({ clock, onTime: () => slots.poll() })
  const failures = createFailures(kinds.forWorkers())
  const accountTasks = createAccountTasks({ store, clock, log })
  const runner = createRunner({
    failures,
    store,
    kindSets,
    plainText,
    threads,
    submitChild: service.submitChild,
    endLeftovers: async task => {
      if (wasTakenOver(task)) await leftovers.end(task)
    },
    scratch,
    ...(options.artifactMaxBytes === undefined ? {} : { artifactMaxBytes: options.artifactMaxBytes }),
    workerName: `${hostname()}:${process.pid}`,
    clock,
    log,
    onPollAt: untilMs => wakeTimer.set(untilMs),
    onPollNow: () => slots.poll(),
    onDocument({ collection, name }) {
      if (collection === 'accounts') accountTasks.noticed(name)
    },
    onFollow: accountTasks.missed,
    onGivenBack: ({ id, kind }) => queue.announce({ id, kind }),
  })
  const slots = openSlots(queue, {
    slots: size,
    ahead: AHEAD,
    log,
    take: async ahead => {
      await clean
      return runner.take(ahead)
    },
  })
  const sweeper = createSweeper({
    accountTasks,
    uploads: createUploadSweep({ store, clock, ttlMs: options.uploadTtlMs ?? DAY_MS }),
    failures,
    store,
    queue,
    kinds: kinds.forWorkers,
    poll: () => slots.poll(),
    endLeftovers: () => leftovers.end(),
    sweepScratch: scratch.sweep,
    clock,
    log,
    retention: now => ({
      finishedBefore: new Date(now.getTime() - options.retentionMs).toISOString(),
      failedBefore: new Date(
        now.getTime() - (options.retentionFailedMs ?? options.retentionMs),
      ).toISOString(),
      maxCount: options.retentionCount,
      maxBytes: options.retentionBytes,
    }),
    retentionMs: options.retentionMs,
    auditMs: options.auditMs ?? null,
  })

  const unfollow = kindSets.onUse(({ kinds: { forWorkers } }) => {
    // threads keep what they have loaded, so those of the old set would be of no use and in the way
    threads.renew()
    failures.know(forWorkers())
    // there may be tasks of kinds that were not known, or not runnable, or had no room
    slots.poll()
  })

  /** Other workers have not heard of the tasks that this one gave back. */
  const announceGivenBack = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids)
      try {
        const task = await store.get(id)
        if (task?.status === 'PENDING') queue.announce({ id, kind: task.kind })
      } catch (error) {
        log.warn({ error, id }, 'it is unknown whether this task was given back; a sweeper will announce it')
      }
  }

  const threadTrouble = (): string | null => shortage && `No thread can be started: ${shortage}`
  const kindLimits = (): NonNullable<PresenceDetails['kindLimits']> =>
    Object.fromEntries(
      kinds
        .list()
        .filter(kind => kind.maxConcurrency !== undefined || kind.rate !== undefined)
        .map(({ name, maxConcurrency = null, rate = null }) => [name, { maxConcurrency, rate }]),
    )
  /** Why none is begun though slots are free. */
  const takesNone = (running: number): string | null => {
    if (closing) return 'It is shutting down'
    if (shortage !== null && running >= capacity && running < size) return threadTrouble()
    return runner.takesNone()
  }

  let closing: Promise<void> | null = null
  const details = (): ReturnType<Worker['details']> => {
    const running = runner.running()
    const none = takesNone(running.length)
    return {
      slots: size,
      running,
      runningByKind: runner.runningByKind(),
      kindLimits: kindLimits(),
      ...(none === null ? {} : { takesNone: none }),
      counters: { ...runner.counters(), ...sweeper.counters() },
      timings: runner.timings(),
      failures: failures.snapshot(),
      kinds: [...kinds.forWorkers()],
      troubles: troublesOf({
        clock: sweeper.clockTrouble(),
        retention: sweeper.retentionTrouble(),
        threads: threadTrouble(),
      }),
    }
  }

  return {
    details,
    close() {
      closing ??= (async () => {
        wakeTimer.clear()
        unfollow()
        await slots.stop()
        // a sweep with much to remove must not use up the tasks' time
        const swept = sweeper.close()
        const ids = runner.held()
        await runner.drain(options.drainMs)
        await announceGivenBack(ids)
        await runner.close()
        await swept
        await threads.close()
        await scratch.close()
      })()
      return closing
    },
  }
}
