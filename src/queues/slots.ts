// The loop that both queues share: at most `slots` tasks at a time, and no more takes under way than free slots.
// It knows no broker and no store: announcements come in as tickets, and work is found by `take`.
import type { Taken, WorkOptions } from '../core/queue.ts'
import type { Log } from '../platform/log.ts'

/** One announcement in hand. One of the two is called, once. */
export interface Ticket {
  /** It has done its duty. */
  settle(): void
  /** Another worker may have it. */
  giveBack(): void
}

export interface SlotLoop {
  /** An announcement came in: leads to a take when a slot is free, else waits here. */
  offer(ticket: Ticket): void
  /** There may be work without a ticket: takes until null. */
  look(): void
  /** Gives back every ticket that no take or task is bound to. */
  release(): void
  /** Takes no more. Resolves when no take is under way. Idempotent. */
  stop(): Promise<void>
}

export interface SlotLoopOptions extends WorkOptions {
  log: Log
  /** A ticket is settled at the latest so long after its task was taken. Milliseconds. */
  holdMs: number
  /** Whether announcements are wanted: true at first, false once full for a moment or stopped. Called on change. */
  onDemand: (wanted: boolean) => void
}

/** Shorter than this, being full is only the moment between two tiny tasks. */
const FULL_MS = 20
/** After a take that threw, which it may not: the slot rests, so that the loop cannot run hot. */
const REST_MS = 1_000

/** Starts idle; the first look or ticket sets it going. */
export const createSlotLoop = ({ slots, take, log, holdMs, onDemand }: SlotLoopOptions): SlotLoop => {
  const waiting: { ticket: Ticket; order: number }[] = []
  let running = 0
  let taking = 0
  let resting = 0
  let stopped = false
  let wanted = true
  // counts what came in, so that a take which found nothing answers for all that came before it began
  let order = 0
  let lookSince: number | null = null
  let looking = false
  let fullTimer: NodeJS.Timeout | null = null
  const idle: (() => void)[] = []

  const demand = (value: boolean): void => {
    if (wanted === value) return
    wanted = value
    onDemand(value)
  }

  const watchFull = (): void => {
    if (running < slots || stopped) {
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
    if (!stopped && running < slots) demand(true)
  }

  const hold = (taken: Taken, ticket: Ticket | null): void => {
    running++
    const limit = ticket && setTimeout(settle, holdMs).unref()
    let settled = false
    function settle(): void {
      if (limit) clearTimeout(limit)
      if (!settled) ticket?.settle()
      settled = true
    }
    const done = (): void => {
      settle()
      running--
      look()
      watchFull()
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

  const start = async (ticket: Ticket | null): Promise<void> => {
    const began = order
    taking++
    try {
      const taken = await take()
      if (taken) hold(taken, ticket)
      else {
        ticket?.settle()
        nothingThere(began)
      }
    } catch (error) {
      log.error({ error }, 'looking for a task failed; the slot rests')
      rest(ticket)
    } finally {
      taking--
      if (ticket === null) looking = false
      watchFull()
      pump()
      if (taking === 0) for (const resolve of idle.splice(0)) resolve()
    }
  }

  const pump = (): void => {
    while (!stopped && running + taking + resting < slots) {
      const next = waiting.shift()
      if (next) void start(next.ticket)
      else if (lookSince !== null && !looking) {
        // one look at a time: each that finds something is followed by another
        looking = true
        void start(null)
      } else break
    }
  }

  const look = (): void => {
    if (stopped) return
    lookSince = ++order
    pump()
  }

  return {
    offer(ticket) {
      waiting.push({ ticket, order: ++order })
      pump()
    },
    look,
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
