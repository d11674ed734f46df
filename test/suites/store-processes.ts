// The part of the TaskStore contract that takes several processes: racing readers, racing workers, SIGKILL.
import { describe } from 'node:test'
import { startChild } from '../support/child.ts'
import type { StorePlace } from '../support/store-place.ts'
import { checkIn, type StoreWorld } from './store/world.ts'
import { begun } from './store-processes/begun.ts'
import { cancelRequests } from './store-processes/cancel-requests.ts'
import { histories } from './store-processes/histories.ts'
import { kills } from './store-processes/kills.ts'
import { kindLimits } from './store-processes/kind-limits.ts'
import { races } from './store-processes/races.ts'
import { rates } from './store-processes/rates.ts'

/** A world that child processes can open too. */
export interface ProcessWorld extends StoreWorld {
  readonly place: StorePlace
}
export type ProcessStoreFactory = () => Promise<ProcessWorld>

export const storeProcessesSuite = (name: string, factory: ProcessStoreFactory): void => {
  describe(`store ${name}, several processes`, () => {
    races(checkIn(factory))
    kills(checkIn(factory))
    kindLimits(checkIn(factory))
    cancelRequests(checkIn(factory))
    begun(checkIn(factory))
    rates(checkIn(factory))
    histories(checkIn(factory))
  })
}

/** A process of its own claims these tasks and is killed: `lose` of a world that has a place. */
export const loseAt = async (place: StorePlace, ids: readonly string[]): Promise<void> => {
  const holder = startChild<{ held?: number }>('store-child.ts', { place, role: 'hold', ids })
  try {
    await holder.line(line => line.held === ids.length)
  } finally {
    await holder.kill()
  }
}
