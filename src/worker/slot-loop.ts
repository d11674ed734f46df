// When a worker takes tasks: at most `slots` at a time, with no more takes under way than free slots. A ticket leads
// to a take as soon as a slot is free. A slot that gets free takes again until there is nothing to take. While tasks
// are tiny, the round trip to the store takes longer than they do, so some are taken ahead. It knows no broker and no
// store: only tickets and `take`.
import { ACK_HOLD_MS, type Subscriber, type Ticket } from '../core/queue.ts'
import type { Log } from '../platform/log.ts'
import { TAKE_LATER, type TakenTask } from './taken-task.ts'

export interface SlotLoop extends Subscriber {
  /** How many tasks at a time from now on; 0: takes none. */
  resize(slots: number): void
}

export interface SlotLoopOptions {
  /** How many tasks at a time. */
  slots: number
  /** How many more are taken ahead while tasks are tiny; 0 by default. The caller makes them wait. */
  ahead?: number
  /**
   * Takes one task from the store and starts it, or has it ready if it is taken ahead. Null: there is none, or none
   * that may be taken ahead. It may answer TAKE_LATER and must not reject.
   */
  take: (ahead: boolean) => Promise<TakenTask | null>
  log: Log
  /** For tests, instead of ACK_HOLD_MS. */
  holdMs?: number
  /** Whether announcements are wanted: true at first, false once full for a moment or stopped. Called on change. */
  onDemand: (wanted: boolean) => void
}

/** Being full for less than this is only the gap between two tiny tasks. */
const FULL_MS = 20
/**
 * As many tasks are taken ahead as would take this long in all, judged by the last run. Each run changes the number by
 * at most one step. After a run that is not tiny the number is 0: more tasks would wait here while another worker may
 * be idle.
 */
const PACE_MS = 5
const STEP = 1 / 8
const NOT_TINY_MS = 25

/** If a take throws, which it must not, the slot rests, so that the loop cannot spin. */
const REST_MS = 1_000

/**
 * The most tasks that have left their slots while their end is written: several batches of the store, so that one is
 * prepared while another is synced. Beyond this, a slot waits until its task's end is durable.
 */
export const ENDING_MAX = 256

/** An announcement, and its number in order of arrival. */
interface WaitingTicket {
  ticket: Ticket
  order: number
}

/** Idle at first; the first poll or ticket starts it. */
export const createSlotLoop = (options: SlotLoopOptions): SlotLoop => {
  const { ahead = 0, take, log, holdMs = ACK_HOLD_MS, onDemand } = options
  let { slots } = options
  const waiting: WaitingTicket[] = []
  let running = 0
  /** How many may be taken ahead now; rounded down where it is used. */
  let aheadLimit = 0
  let ending = 0
  /** Runs that are over but keep their slots for now. */
  const waitingToLeave: (() => void)[] = []
  /** Told to take none for now, though slots may be free. */
  let paused = false
  let taking = 0
  let resting = 0
  let stopped = false
  let wanted = true
  // numbers what came in: a take that finds nothing answers everything that came before it began
  let order = 0
  let pollSince: number | null = null
  /** Polls under way. While they find tasks there may be one per free slot, else only one. */
  let polls = 0
  let pollsFind = false
  let fullTimer: NodeJS.Timeout | null = null
  const idle: (() => void)[] = []

  const demand = (value: boolean): void => {
    if (wanted === value) return
    wanted = value
    onDemand(value)
  }

  /** @param ms that a run took; null if nothing ran, for lack of a slot, say */
  const adjustAhead = (ms: number | null): void => {
    if (ms === null || ms >= NOT_TINY_MS) aheadLimit = 0
    else aheadLimit = Math.min(ahead, aheadLimit + STEP, (slots * PACE_MS) / ms)
  }
  const capacity = (): number => (slots === 0 ? 0 : slots + Math.floor(aheadLimit))
  /**
   * Tasks are taken ahead in batches, when half of the last one is used up: single ones would each wake the threads of
   * the store and of the runs.
   */
  let filling = false
  const mayTake = (): boolean => {
    if (paused) return false
    const inHand = running + taking + resting
    if (inHand <= slots + Math.floor(aheadLimit / 2)) filling = true
    if (inHand >= capacity()) filling = false
    return filling
  }

  const watchFull = (): void => {
    if ((running < capacity() && !paused) || stopped) {
      if (fullTimer) clearTimeout(fullTimer)
      fullTimer = null
    } else
      fullTimer ??= setTimeout(() => {
        fullTimer = null
        demand(false)
      }, FULL_MS).unref()
  }

  const foundNothing = (began: number): void => {
    // the store was asked after these announcements were made, so their tasks are taken or ended
    while (waiting[0] && waiting[0].order <= began) waiting.shift()?.ticket.settle()
    if (pollSince !== null && pollSince <= began) pollSince = null
    if (!stopped && !paused && running < capacity()) demand(true)
  }

  const hold = (taken: TakenTask, ticket: Ticket | null): void => {
    const width = taken.exclusive ? slots : 1
    running += width
    if (taken.exclusive) aheadLimit = 0
    const limit = ticket && setTimeout(settle, holdMs).unref()
    let settled = false
    function settle(): void {
      if (limit) clearTimeout(limit)
      if (!settled) ticket?.settle()
      settled = true
    }
    let inSlot = true
    let ranMs: number | null = null
    const leave = (): void => {
      if (!inSlot) return
      inSlot = false
      running -= width
      adjustAhead(taken.exclusive ? null : ranMs)
      poll()
      watchFull()
    }
    let early = false
    const leaveEarly = (): void => {
      if (!inSlot) return
      if (ending >= ENDING_MAX) return void waitingToLeave.push(leaveEarly)
      early = true
      ending++
      leave()
    }
    // `ended` reports a rejection
    taken.slotFree.then(
      ms => {
        ranMs = ms
        if (!taken.exclusive) leaveEarly()
      },
      () => {},
    )
    const done = (): void => {
      settle()
      leave()
      if (!early) return
      ending--
      for (const next of waitingToLeave.splice(0)) next()
    }
    taken.ended.then(done, (error: unknown) => {
      log.error({ error }, 'the end of a task was rejected')
      done()
    })
  }

  const rest = (ticket: Ticket | null): void => {
    resting++
    setTimeout(() => {
      resting--
      ticket?.giveBack()
      poll()
    }, REST_MS).unref()
  }

  const start = async (next: WaitingTicket | null): Promise<void> => {
    const ticket = next?.ticket ?? null
    const began = order
    const isAhead = running + taking + resting >= slots
    taking++
    try {
      const taken = await take(isAhead)
      if (ticket === null) pollsFind = taken !== null && taken !== TAKE_LATER
      if (taken === TAKE_LATER) paused = true
      if (taken !== null && taken !== TAKE_LATER) hold(taken, ticket)
      else if (isAhead || taken === TAKE_LATER) {
        // it did not ask for all tasks; a free slot will ask again
        aheadLimit = 0
        // if no announcements are wanted, tickets go back
        if (next && wanted && !stopped) waiting.unshift(next)
        else next?.ticket.giveBack()
      } else {
        ticket?.settle()
        foundNothing(began)
      }
    } catch (error) {
      log.error({ error }, 'looking for a task failed; the slot rests')
      rest(ticket)
    } finally {
      taking--
      if (ticket === null) polls--
      watchFull()
      pump()
      if (taking === 0) for (const resolve of idle.splice(0)) resolve()
    }
  }

  const pump = (): void => {
    while (!stopped && mayTake()) {
      const next = waiting.shift()
      if (next) void start(next)
      else if (pollSince !== null && (polls === 0 || pollsFind)) {
        // each poll that finds something leads to another
        polls++
        void start(null)
      } else break
    }
  }

  const poll = (): void => {
    if (stopped) return
    paused = false
    pollSince = ++order
    pump()
  }

  return {
    size: slots,
    offer(ticket) {
      waiting.push({ ticket, order: ++order })
      pump()
    },
    poll,
    resize(value) {
      slots = value
      // the number was measured with the old slots
      aheadLimit = 0
      poll()
      watchFull()
    },
    release() {
      for (const { ticket } of waiting.splice(0)) ticket.giveBack()
    },
    stop() {
      stopped = true
      watchFull()
      demand(false)
      return new Promise(resolve => {
        if (taking === 0) resolve()
        else idle.push(resolve)
      })
    },
  }
}
