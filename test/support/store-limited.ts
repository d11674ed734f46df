// A process that runs tasks of a limited kind and shows, in a folder that all of them share, which it is running.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { start, succeed } from '../../src/core/moves.ts'
import { at, details } from '../suites/store/world.ts'
import type { RoleContext } from './store-roles.ts'

export interface LimitedInput {
  shown: string
  maxConcurrency: number
  slots: number
}

/** Tells of every run how many were shown at its begin, itself included. */
export const limitedRole = async (
  { store, tell, signal }: RoleContext,
  { shown, maxConcurrency, slots }: LimitedInput,
): Promise<void> => {
  await store.announce({ role: 'worker', details: () => details() })
  const limits = { told: { maxConcurrency, rate: null } }
  tell({ working: true })
  const slot = async (): Promise<void> => {
    while (!signal.aborted) {
      const wanted = { kinds: ['told'], now: at(5), limits }
      const task = await store.claimNext(wanted, start(store.instance, at(5)))
      if (!task) {
        await delay(5)
        continue
      }
      // after the claim and gone before the end: what is shown runs for sure
      const file = path.join(shown, task.id)
      writeFileSync(file, '')
      tell({ run: task.id, shown: readdirSync(shown).length })
      await delay(2)
      rmSync(file)
      await store.move(task.id, task.claim, succeed(null, null, at(7)))
    }
  }
  await Promise.all(Array.from({ length: slots }, slot))
}
