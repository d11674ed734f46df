// The contract of the TaskStore port: what every adapter must do. Written to the promises in src/core/store.ts.
// An adapter's test calls `storeSuite` with a factory of fresh worlds; store-processes.ts has the part for
// stores that live over several processes.
import { describe } from 'node:test'
import { blobs } from './store/blobs.ts'
import { cancel } from './store/cancel.ts'
import { claims } from './store/claims.ts'
import { create } from './store/create.ts'
import { due } from './store/due.ts'
import { feed } from './store/feed.ts'
import { hostile } from './store/hostile.ts'
import { kindLimits } from './store/kind-limits.ts'
import { lifetime } from './store/lifetime.ts'
import { line } from './store/line.ts'
import { lists } from './store/lists.ts'
import { logs } from './store/logs.ts'
import { model } from './store/model.ts'
import { owners } from './store/owners.ts'
import { people } from './store/people.ts'
import { picking } from './store/picking.ts'
import { presence } from './store/presence.ts'
import { quotas } from './store/quotas.ts'
import { retention } from './store/retention.ts'
import { takeover } from './store/takeover.ts'
import { checkIn, type StoreFactory } from './store/world.ts'

export type { StoreFactory, StoreWorld } from './store/world.ts'

const TOPICS = {
  create,
  'hostile input': hostile,
  'list and counts': lists,
  'for some owners': owners,
  quotas,
  'claim and move': claims,
  'claimNext and agenda': picking,
  'when a task is due': due,
  'limits of kinds': kindLimits,
  'the line': line,
  'tasks that people do': people,
  cancel,
  takeover,
  blobs,
  logs,
  'change feed': feed,
  presence,
  'remove and retain': retention,
  lifetime,
  'random histories': model,
}

export const storeSuite = (name: string, factory: StoreFactory): void => {
  describe(`store ${name}`, () => {
    for (const [topic, register] of Object.entries(TOPICS))
      describe(topic, () => {
        register(checkIn(factory))
      })
  })
}
