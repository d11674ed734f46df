// What is away, for the banner of every page. Who does not see all is told of no process.
import { seesAll } from '../../core/policy.ts'
import type { Readiness } from '../../core/readiness.ts'
import { statePolled, type Topic } from './topic.ts'

const EVERY_MS = 2_000

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

/** What concerns who does not see all: whether their tasks are there, and whether they start. */
const PARTS_FOR_ALL = ['store', 'queue']

/** A reason may name hosts, folders and processes. */
const forFew = ({ troubles }: Health): Health => ({
  troubles: troubles.flatMap(({ part, status }) =>
    PARTS_FOR_ALL.includes(part) ? [{ part, status, reason: '' }] : [],
  ),
})

export const healthTopic = (deps: HealthDeps): Topic => {
  const whole = statePolled('health', EVERY_MS, () => readHealth(deps))
  return async function* (question) {
    let told = ''
    for await (const events of whole(question)) {
      if (seesAll(question.actor)) {
        yield events
        continue
      }
      const few = events.map(({ event, data }) => ({ event, data: forFew(data as Health) }))
      const text = JSON.stringify(few)
      if (text !== told) yield few
      told = text
    }
  }
}
