// The processes of one attempt, or of one thread, as the worker's main thread knows them: reported by the thread, or
// found by their mark if the system allows it. They are ended when their attempt or thread is over. An attempt without
// processes costs nothing.
import { setTimeout as wait } from 'node:timers/promises'
import {
  ENDING_TIMES,
  endProcesses,
  type FoundProcesses,
  groupLives,
  signalAll,
} from '../../platform/ending-processes.ts'
import { type FoundProcess, findMarked, findMarkedNow, type Search } from '../../platform/marked-processes.ts'
import { MARK, markOf, markPrefix, THREAD } from '../../platform/process-mark.ts'
import { readProcess } from '../../platform/process-proof.ts'
import type { ProcessesData, ProcessNote } from '../pool/protocol.ts'

export interface AttemptProcesses {
  /** A process was started, is about to be, or has ended. */
  note(note: ProcessNote): void
  /**
   * Ends the remaining processes: SIGTERM, half a second, SIGKILL. Returns, for people, which ones were ended, also by
   * earlier calls; null if none was left. Never rejects.
   */
  end(): Promise<string | null>
  /** Resolves when their thread has reaped the dead ones, within a moment: those of a dead thread stay zombies. */
  fetched(): Promise<void>
}

export interface ProcessKeeper {
  /** The prefix of marks. */
  readonly prefix: string
  /** @param task its id, or THREAD */
  open(task: string, claim: number): AttemptProcesses
  /** Ends all that are still open. Idempotent. */
  close(): Promise<void>
}

export interface KeeperOptions {
  /** Identifies the store. */
  store?: string
  /** Called for processes that survived SIGKILL, such as one that waits for a dead disk. */
  onLeft?: (processes: { pid: number; name: string }[]) => void
}

/** With so many groups, the numbers of ended ones are forgotten. */
const GROUPS_MAX = 64
const FETCH_MS = 2_000
const LOOK_MS = 10

const NAMES_MAX = 10
const wordsFor = (ended: readonly FoundProcess[]): string => {
  const names = ended.slice(0, NAMES_MAX).map(({ name, pid }) => `${name} (${pid})`)
  const what = ended.length === 1 ? 'a process' : `${ended.length} processes`
  return `ended ${what} that the attempt had left: ${names.join(', ')}${ended.length > NAMES_MAX ? ' and others' : ''}`
}

export const createProcessKeeper = ({
  store = '-',
  onLeft = () => {},
}: KeeperOptions = {}): ProcessKeeper => {
  const prefix = markPrefix(store)
  /** Those that have started something and are not ended. */
  const live = new Set<{ end: () => Promise<unknown>; endNow: () => void }>()
  // the process exits in a hurry: a failed sync, a close that took too long
  const onExit = (): void => {
    for (const each of live) each.endNow()
  }
  let listening = false
  const listen = (on: boolean): void => {
    if (on === listening) return
    listening = on
    if (on) process.on('exit', onExit)
    else process.off('exit', onExit)
  }

  return {
    prefix,
    open(task, claim) {
      const mark = markOf(prefix, task, claim)
      /** Direct children, each the leader of a group: pid, and when it began. */
      const groups = new Map<number, string | null>()
      /** Not yet reaped by their thread, as far as is known. */
      const children = new Set<number>()
      /** The earliest time at which one may have begun. */
      let sinceTicks = Number.POSITIVE_INFINITY
      const ended: FoundProcess[] = []
      let ending: Promise<unknown> = Promise.resolve()

      const isOurs = ([group, startedTicks]: [number, string | null]): boolean => {
        const leader = readProcess(group)
        // the number of an ended leader is not reused while its group has members
        return (leader === null || leader.startedTicks === startedTicks) && groupLives(group)
      }
      const prune = (): void => {
        for (const each of groups) if (!isOurs(each)) groups.delete(each[0])
      }
      const search = (): Search => {
        prune()
        return { name: MARK, isWanted: value => value === mark, groups: [...groups.keys()], sinceTicks }
      }
      /** Groups whose leader was found are led by a descendant, or by a child that the thread reported. */
      const withGroups = (processes: FoundProcesses['processes']): FoundProcesses => {
        const led = processes.filter(({ pid, group }) => pid === group).map(({ pid }) => pid)
        const known = [...groups.keys()].filter(
          group => process.platform !== 'linux' || processes.some(each => each.group === group),
        )
        return { processes, groups: [...new Set([...led, ...known])] }
      }
      const find = async (): Promise<FoundProcesses> => withGroups(await findMarked(search()))

      const endOnce = async (): Promise<string | null> => {
        const { signalled, left } = await endProcesses(find, ENDING_TIMES)
        if (left.length > 0) onLeft(left.map(({ pid, name }) => ({ pid, name })))
        live.delete(self)
        if (live.size === 0) listen(false)
        ended.push(...signalled)
        return ended.length === 0 ? null : wordsFor(ended)
      }
      const self = {
        end: (): Promise<string | null> => {
          const next = ending.then(endOnce).catch(() => null)
          ending = next
          return next
        },
        endNow(): void {
          signalAll(withGroups(findMarkedNow(search())), 'SIGKILL')
        },
      }

      return {
        note({ event, pid, startedTicks }) {
          live.add(self)
          listen(true)
          if (event === 'started') sinceTicks = Math.min(sinceTicks, Number(startedTicks ?? 0))
          if (pid === null) return
          if (event === 'started') {
            if (groups.size >= GROUPS_MAX) prune()
            groups.set(pid, startedTicks)
            children.add(pid)
          } else {
            children.delete(pid)
            // from here on the number of an empty group may be reused
            if (!groupLives(pid)) groups.delete(pid)
          }
        },
        end: self.end,
        async fetched() {
          const there = () => [...children].some(pid => readProcess(pid)?.state === 'Z')
          for (const end = performance.now() + FETCH_MS; there() && performance.now() < end; )
            await wait(LOOK_MS)
        },
      }
    },
    async close() {
      await Promise.all([...live].map(({ end }) => end()))
    },
  }
}

export interface ThreadsOwn {
  /** Start data for the thread. */
  data: ProcessesData
  note(note: ProcessNote): void
  /** From here on the thread can start no process. */
  stop(): void
  /** The thread is gone. */
  end(): void
}

let threads = 0
/** Processes that belong to no run and end with their thread: those that a kind's file starts while it loads. */
export const openThreadProcesses = (keeper: ProcessKeeper): ThreadsOwn => {
  const thread = ++threads
  const stopped = new Int32Array(new SharedArrayBuffer(4))
  let own: AttemptProcesses | null = null
  return {
    data: { prefix: keeper.prefix, thread, stopped },
    note(note) {
      own ??= keeper.open(THREAD, thread)
      own.note(note)
    },
    stop: () => void Atomics.store(stopped, 0, 1),
    end: () => void own?.end(),
  }
}
