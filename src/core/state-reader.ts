// Reads the state of the bundle for people and monitors: within a short time limit, and without private details.
import type { Actor } from './actor.ts'
import { within } from './async/deadline.ts'
import { toMadhavaError } from './errors.ts'
import { demand, seesAll } from './policy.ts'
import { whySilent } from './readiness.ts'
import type { Service, ServiceState } from './service.ts'
import type { PresenceDetails, SeenPresence } from './store.ts'

const STATE_MS = 500

/** What metrics and other processes need, and nobody reads. */
export type HiddenDetail = 'timings' | 'failures' | 'kindLimits'

/** A process as the APIs show it. */
export type ProcessView = Omit<SeenPresence, 'details'> & Omit<PresenceDetails, HiddenDetail>

/** A process that holds its socket but no longer beats is not shown as alive; `troubles.beat` says why. */
export const viewProcess = (
  {
    details: { timings: _timings, failures: _failures, kindLimits: _limits, ...details },
    ...presence
  }: SeenPresence,
  now: number,
): ProcessView => {
  const silent = presence.alive ? whySilent(presence, now) : null
  return {
    role: presence.role,
    instance: presence.instance,
    host: presence.host,
    pid: presence.pid,
    alive: presence.alive && silent === null,
    startedAt: presence.startedAt,
    beatAt: presence.beatAt,
    ...details,
    ...(silent === null ? {} : { troubles: { ...details.troubles, beat: silent } }),
  }
}

/**
 * The state as far as it is known in time; `trouble` says why there is none.
 * @throws UNAUTHORIZED, SCOPE_MISSING when the actor may not read
 */
export type StateReader = (actor: Actor) => Promise<{ state: ServiceState | null; trouble: string | null }>

/**
 * Concurrent requests of those who see all share one reading.
 * @param onFailed called for every failed reading
 */
export const createStateReader = (
  service: Pick<Service, 'state'>,
  onFailed: (error: unknown) => void,
): StateReader => {
  let underWay: Promise<ServiceState> | null = null
  const readWhole = (actor: Actor): Promise<ServiceState> => {
    underWay ??= service.state(actor).finally(() => {
      underWay = null
    })
    return underWay
  }
  return async actor => {
    demand(actor, 'read')
    try {
      const reading = seesAll(actor) ? readWhole(actor) : service.state(actor)
      const state = await within(STATE_MS, reading, () => null)
      return { state, trouble: state ? null : `No answer within ${STATE_MS} ms` }
    } catch (error) {
      onFailed(error)
      return { state: null, trouble: toMadhavaError(error).message }
    }
  }
}
