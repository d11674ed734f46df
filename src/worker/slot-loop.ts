// When a worker takes: at most `slots` tasks at a time, and no more takes under way than free slots. A ticket leads
// to a take as soon as a slot is free; a slot that gets free takes again until it is given null. While tasks take
// next to no time, the way to the store and back takes longer than they do: then some are taken ahead. It knows no
// broker and no store: announcements come in as tickets, and work is found by `take`.
import { ACK_HOLD_MS, type Subscriber, type Ticket } from '../core/queue.ts'
import type { Log } from '../platform/log.ts'
import { LATER, type TakenTask } from './taken-task.ts'

export interface SlotLoop extends Subscriber {
  /** At most so many tasks at a time from now on; 0: takes none. */
  resize(slots: number): void
}

export interface SlotLoopOptions {
  /** At most so many tasks at a time. */
  slots: number
  /**
   * Beyond them, so many are taken ahead while tasks take next to no time; 0 by default. Their owner lets them wait.
   */
  ahead?: number
  /**
   * Looks for one task in the store and starts it, or, taken ahead, has it ready; null when there is none, or none
   * that may be taken ahead; or LATER. It may not reject.
   */
  take: (ahead: boolean) => Promise<TakenTask | null>
  log: Log
  /** For tests, in place of ACK_HOLD_MS. */
  holdMs?: number
  /** Whether announcements are wanted: true at first, false once full for a moment or stopped. Called on change. */
  onDemand: (wanted: boolean) => void
}

/** Shorter than this, being full is only the moment between two tiny tasks. */
const FULL_MS = 20
/**
 * So many are taken ahead as runs like the last one would take no longer than this to get through, and each run is a
 * step of this size towards it at the most. After one that is not tiny at all nothing is: what were taken then would
 * wait here while another worker may be idle.
 */
const PACE_MS = 5
const STEP = 1 / 8
const NOT_TINY_MS = 25

/** After a take that threw, which it may not: the slot rests, so that the loop cannot run hot. */
const REST_MS = 1_000

/**
 * Tasks that have left their slots and are being written, at the most: several batches of the store's, so that one is
 * made ready while another is synced. Beyond them a slot waits for its task's end to be durable.
 */
export const ENDING_MAX = 256

/** An announcement in hand, and how many came before it. */
interface Waiting {
  ticket: Ticket
  order: number
}

/** Starts idle; the first look or ticket sets it going. */
export const createSlotLoop = (options: SlotLoopOptions): SlotLoop => {
  const { ahead = 0, take, log, holdMs = ACK_HOLD_MS, onDemand } = options
  let { slots } = options
  const waiting: Waiting[] = []
  let running = 0
  /** How many may be taken ahead just now; whole ones count. */
  let reach = 0
  let ending = 0
  /** Runs that are over and keep their slots for now. */
  const stuck: (() => void)[] = []
  /** Told to take none for now, though slots may be free. */
  let barred = false
  let taking = 0
  let resting = 0
  let stopped = false
  let wanted = true
  // counts what came in, so that a take which found nothing answers for all that came before it began
  let order = 0
  let lookSince: number | null = null
  /** Looks under way; while they find something there may be one for each free slot, else a single one. */
  let looks = 0
  let looksFind = false
  let fullTimer: NodeJS.Timeout | null = null
  const idle: (() => void)[] = []

  const demand = (value: boolean): void => {
    if (wanted === value) return
    wanted = value
    onDemand(value)
  }

  /** @param ms that a run took; null when nothing ran, for want of a slot, say */
  const pace = (ms: number | null): void => {
    if (ms === null || ms >= NOT_TINY_MS) reach = 0
    else reach = Math.min(ahead, reach + STEP, (slots * PACE_MS) / ms)
  }
  const capacity = (): number => (slots === 0 ? 0 : slots + Math.floor(reach))
  /**
   * What is taken ahead is taken in one go when half of it is used up: one task after another would each wake the
   * store's threads and those of the runs.
   */
  let filling = false
  const mayTake = (): boolean => {
    if (barred) return false
    const inHand = running + taking + resting
    if (inHand <= slots + Math.floor(reach / 2)) filling = true
    if (inHand >= capacity()) filling = false
    return filling
  }

  const watchFull = (): void => {
    if ((running < capacity() && !barred) || stopped) {
      if (fullTimer) clearTimeout(fullTimer)
      fullTimer = null
    } else
      fullTimer ??= setTimeout(() => {
        fullTimer = null
        demand(false)
      }, FULL_MS).unref()
  }

  const nothingThere = (began: number): void => {
    // the store had been asked after these announcements were made: their tasks are taken or ended
    while (waiting[0] && waiting[0].order <= began) waiting.shift()?.ticket.settle()
    if (lookSince !== null && lookSince <= began) lookSince = null
    if (!stopped && !barred && running < capacity()) demand(true)
  }

  const hold = (taken: TakenTask, ticket: Ticket | null): void => {
    const width = taken.alone ? slots : 1
    running += width
    if (taken.alone) reach = 0
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
      pace(taken.alone ? null : ranMs)
      look()
      watchFull()
    }
    let early = false
    const leaveEarly = (): void => {
      if (!inSlot) return
      if (ending >= ENDING_MAX) return void stuck.push(leaveEarly)
      early = true
      ending++
      leave()
    }
    // a rejection is told with `done`
    taken.free.then(
      ms => {
        ranMs = ms
        if (!taken.alone) leaveEarly()
      },
      () => {},
    )
    const done = (): void => {
      settle()
      leave()
      if (!early) return
      ending--
      for (const next of stuck.splice(0)) next()
    }
    taken.done.then(done, (error: unknown) => {
      log.error({ error }, 'the end of a task was rejected')
      done()
    })
  }

  const rest = (ticket: Ticket | null): void => {
    resting++
    setTimeout(() => {
      resting--
      ticket?.giveBack()
      look()
    }, REST_MS).unref()
  }

  const start = async (next: Waiting | null): Promise<void> => {
    const ticket = next?.ticket ?? null
    const began = order
    const isAhead = running + taking + resting >= slots
    taking++
    try {
      const taken = await take(isAhead)
      if (ticket === null) looksFind = taken !== null && taken !== LATER
      if (taken === LATER) barred = true
      if (taken !== null && taken !== LATER) hold(taken, ticket)
      else if (isAhead || taken === LATER) {
        // it was not asked for everything: who has a free slot asks again
        reach = 0
        // a full worker's announcements have been given back
        if (next && wanted && !stopped) waiting.unshift(next)
        else next?.ticket.giveBack()
      } else {
        ticket?.settle()
        nothingThere(began)
      }
    } catch (error) {
      log.error({ error }, 'looking for a task failed; the slot rests')
      rest(ticket)
    } finally {
      taking--
      if (ticket === null) looks--
      watchFull()
      pump()
      if (taking === 0) for (const resolve of idle.splice(0)) resolve()
    }
  }

  const pump = (): void => {
    while (!stopped && mayTake()) {
      const next = waiting.shift()
      if (next) void start(next)
      else if (lookSince !== null && (looks === 0 || looksFind)) {
        // each that finds something is followed by another
        looks++
        void start(null)
      } else break
    }
  }

  const look = (): void => {
    if (stopped) return
    barred = false
    lookSince = ++order
    pump()
  }

  return {
    size: slots,
    offer(ticket) {
      waiting.push({ ticket, order: ++order })
      pump()
    },
    look,
    resize(value) {
      slots = value
      // what was to be taken ahead was measured by the slots that there were
      reach = 0
      look()
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
