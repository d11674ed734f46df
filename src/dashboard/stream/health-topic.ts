// What is away, for the banner of every page; and the end of the session, which is the end of the stream.
import type { Readiness } from '../../core/readiness.ts'
import { pause, statePolled, type Topic } from './topic.ts'

const EVERY_MS = 2_000
const SESSION_EVERY_MS = 10_000

export interface Health {
  /** Checks that are not `ok`: `store`, `queue`, `supervisor`, a role by its name, `kinds`. */
  troubles: { part: string; status: 'degraded' | 'failed'; reason: string }[]
}

export interface HealthDeps {
  readiness: () => Promise<Readiness>
  /** Rejects when the supervisor is away. */
  supervisor: () => Promise<unknown>
}

export const readHealth = async ({ readiness, supervisor }: HealthDeps): Promise<Health> => {
  const [{ checks }, away] = await Promise.all([
    readiness(),
    supervisor().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    ),
  ])
  const troubles = Object.entries(checks).flatMap(([part, { status, reason = '' }]) =>
    status === 'ok' ? [] : [{ part, status, reason }],
  )
  if (away !== null) troubles.push({ part: 'supervisor', status: 'failed', reason: away })
  return { troubles }
}

export const healthTopic = (deps: HealthDeps): Topic =>
  statePolled('health', EVERY_MS, () => readHealth(deps))

/** The event that ends a stream: the reader has logged out, or may no longer see anything. */
export const SESSION_ENDED = 'session-ended'

/** @param isCurrent whether the session of the stream still holds */
export const sessionTopic = (isCurrent: () => Promise<boolean>, everyMs = SESSION_EVERY_MS): Topic =>
  async function* ({ signal }) {
    while (!signal.aborted) {
      await pause(everyMs, signal)
      if (await isCurrent()) continue
      yield [{ event: SESSION_ENDED, data: {} }]
      return
    }
  }
