// Quotas: how many tasks one account, one key and one address may submit in a minute, and may have waiting. Whoever is
// over one is refused before anything is stored. Children that running tasks submit are not: their parents were let in.
import { MadhavaError } from './errors.ts'
import type { TaskFilter } from './filter.ts'
import { countIn } from './status.ts'
import type { CountedSubmitter, TaskStore } from './store.ts'
import type { TaskRecord } from './task.ts'

/** Who submits; null: nobody has logged in, no key was shown, or the address is not known. */
export interface Submitter {
  account: string | null
  key: string | null
  address: string | null
}
const SUBMITTERS = ['account', 'key', 'address'] as const
type Counted = (typeof SUBMITTERS)[number]

/** Tasks; null: no quota. */
export interface QuotaLimits {
  /** That may be submitted in a minute. */
  readonly submits: Readonly<Record<Counted, number | null>>
  /** That may wait at a time. */
  readonly waiting: Readonly<Record<Counted, number | null>>
}

export interface QuotaOptions {
  limits: QuotaLimits
  /** What counts as one address. */
  clientOf: (address: string) => string
}

/** Of the quotas by the minute. */
export const RATE_WINDOW_SECONDS = 60

const NONE = { account: null, key: null, address: null }
export const NO_QUOTAS: QuotaOptions = {
  limits: { submits: NONE, waiting: NONE },
  clientOf: address => address,
}

/** The setting of a quota. */
const settingOf = (what: keyof QuotaLimits, who: Counted): string =>
  `QUOTA_${what.toUpperCase()}_PER_${who.toUpperCase()}`

/** How much of a quota is left, for the headers of an answer. */
export interface QuotaState {
  /** `account`, `key`, `address`; of those that may wait `account-waiting` and so on. */
  name: string
  limit: number
  left: number
  /** Until `left` is `limit` again, seconds; null where work has to go away first. */
  resetSeconds: number | null
}

/** In `detail` of QUOTA_EXCEEDED. */
export interface QuotaDetail {
  quota: string
  retryAfterSeconds: number
  quotas: QuotaState[]
}

export const submitterFilter = (by: CountedSubmitter): TaskFilter =>
  'key' in by ? { submitterKey: by.key } : { submitterAddress: by.address }

/** What was let in. */
export interface Admitted {
  quotas: QuotaState[]
  /** The tasks are stored, or will not be. */
  done(): void
}

export interface Quotas {
  /** What the record keeps of who submits; undefined where no quota counts by it. */
  submittedBy(by: Submitter): TaskRecord['submittedBy']
  /**
   * Lets so many tasks in. @throws QUOTA_EXCEEDED, STORE_UNAVAILABLE
   * @param waiting how many of them wait for workers; left out: all
   */
  admit(by: Submitter, tasks: number, waiting?: number): Promise<Admitted>
  /** Lets one wait that waited before, among what it was submitted with. @throws as `admit` */
  admitAgain(task: Pick<TaskRecord, 'owner' | 'submittedBy'>): Promise<Admitted>
}

/** Seconds after which it is worth trying again, where work has to go away first. */
const WAIT_SECONDS = 5

type Wanted = { who: Counted; id: string; limit: number }

/** What this process has let in of one who submits: as long as the store may not count some of it. */
interface Begun {
  /** Tasks. */
  taken: number
  /** Of those, how many are stored, or will not be. */
  ended: number
  /** Calls that look for room. */
  asking: number
  /** A count by the store that goes on, and how many had ended when it began. */
  counting: Promise<{ stored: number; endedBefore: number }> | null
  /** Called when more have ended. */
  waiters: (() => void)[]
}

const refuse = (
  setting: string,
  text: string,
  { retryAfterSeconds, quotas }: Omit<QuotaDetail, 'quota'>,
): never => {
  const detail: QuotaDetail = { quota: setting, retryAfterSeconds, quotas }
  throw new MadhavaError('QUOTA_EXCEEDED', `${text} (${setting})`, { detail })
}

const WHO: Readonly<Record<Counted, string>> = {
  account: 'This account',
  key: 'This key',
  address: 'This address',
}

export const createQuotas = (
  store: Pick<TaskStore, 'rates' | 'counts' | 'countWaiting'>,
  { limits, clientOf }: QuotaOptions,
): Quotas => {
  /** What a quota counts by; null: nothing. */
  const idOf = (by: Submitter, who: Counted): string | null =>
    who === 'address' && by.address !== null ? clientOf(by.address) : by[who]
  const wantedOf = (what: keyof QuotaLimits, by: Submitter): Wanted[] =>
    SUBMITTERS.flatMap(who => {
      const [id, limit] = [idOf(by, who), limits[what][who]]
      return id === null || limit === null ? [] : [{ who, id, limit }]
    })

  const begun = new Map<string, Begun>()

  const countOf = async ({ who, id }: Wanted): Promise<number> => {
    if (who === 'account') return countIn('waiting', (await store.counts([id])).byStatus)
    return store.countWaiting(who === 'key' ? { key: id } : { address: id })
  }

  /** Who asks while a count goes on takes it too: what this process has let in since it began is added to it. */
  const look = (own: Begun, wanted: Wanted): NonNullable<Begun['counting']> => {
    const endedBefore = own.ended
    own.counting ??= countOf(wanted)
      .then(stored => ({ stored, endedBefore }))
      .finally(() => {
        own.counting = null
      })
    return own.counting
  }

  /**
   * As exact as one process can be: what it lets in at the same time is counted with what the store has. Processes
   * together may exceed the quota by what they let in at the same moment.
   */
  const admitWaiting = async (
    wanted: Wanted,
    tasks: number,
  ): Promise<{ state: QuotaState; done(): void }> => {
    const { who, id, limit } = wanted
    const place = `${who}:${id}`
    const name = `${who}-waiting`
    const own = begun.get(place) ?? { taken: 0, ended: 0, asking: 0, counting: null, waiters: [] }
    begun.set(place, own)
    const forget = (): void => {
      if (own.taken === own.ended && own.asking === 0) begun.delete(place)
    }
    own.asking += 1
    try {
      for (;;) {
        const { stored, endedBefore } = await look(own, wanted)
        // what ended while the store counted may be in its count, or not
        const most = stored + own.taken - endedBefore
        if (most + tasks <= limit) {
          own.taken += tasks
          return {
            state: { name, limit, left: limit - most - tasks, resetSeconds: null },
            done() {
              own.ended += tasks
              for (const wake of own.waiters.splice(0)) wake()
              forget()
            },
          }
        }
        if (own.ended !== endedBefore) continue
        if (own.taken > own.ended && stored + tasks <= limit) {
          // too many only if the store has none yet of those that are being stored
          await new Promise<void>(resolve => own.waiters.push(resolve))
          continue
        }
        const left = Math.max(0, limit - most)
        return refuse(
          settingOf('waiting', who),
          `${WHO[who]} may have ${limit} tasks waiting; try again when some have run`,
          {
            retryAfterSeconds: WAIT_SECONDS,
            quotas: [{ name, limit, left, resetSeconds: null }],
          },
        )
      }
    } finally {
      own.asking -= 1
      forget()
    }
  }

  const takeSubmits = async (
    { who, id, limit }: Wanted,
    tasks: number,
  ): Promise<{ state: QuotaState; giveBack(): Promise<void> }> => {
    const { allowed, left, resetMs, giveBack } = await store.rates.take(`${who}:${id}`, tasks, limit)
    const state: QuotaState = { name: who, limit, left, resetSeconds: Math.max(1, Math.ceil(resetMs / 1000)) }
    if (allowed) return { state, giveBack }
    const text =
      tasks > limit
        ? `${WHO[who]} may submit ${limit} tasks in a minute, and these are ${tasks}`
        : `${WHO[who]} may submit ${limit} tasks in a minute; ${left} are left until ${state.resetSeconds} s from now`
    return refuse(settingOf('submits', who), text, {
      retryAfterSeconds: state.resetSeconds ?? WAIT_SECONDS,
      quotas: [state],
    })
  }

  const letIn = async (
    waiting: readonly Wanted[],
    submits: readonly Wanted[],
    tasks: { submitted: number; waiting: number },
  ): Promise<Admitted> => {
    const quotas: QuotaState[] = []
    const undo: (() => unknown)[] = []
    const ends: (() => void)[] = []
    try {
      // first what needs no giving back at the store
      for (const wanted of tasks.waiting === 0 ? [] : waiting) {
        const { state, done } = await admitWaiting(wanted, tasks.waiting)
        ends.push(done)
        quotas.push(state)
      }
      for (const wanted of submits) {
        const { state, giveBack } = await takeSubmits(wanted, tasks.submitted)
        quotas.push(state)
        undo.push(giveBack)
      }
    } catch (error) {
      for (const end of ends) end()
      await Promise.allSettled(undo.map(each => each()))
      throw error
    }
    return {
      quotas,
      done() {
        for (const end of ends.splice(0)) end()
      },
    }
  }

  return {
    submittedBy(by) {
      const counted = (who: Counted): string | null => (limits.waiting[who] === null ? null : idOf(by, who))
      const [key, address] = [counted('key'), counted('address')]
      return key === null && address === null ? undefined : { key, address }
    },

    admit: (by, submitted, waiting = submitted) =>
      letIn(wantedOf('waiting', by), wantedOf('submits', by), { submitted, waiting }),

    admitAgain({ owner, submittedBy }) {
      const by = { account: owner, key: null, address: null, ...submittedBy }
      return letIn(wantedOf('waiting', by), [], { submitted: 0, waiting: 1 })
    },
  }
}
