// Whose code it is that runs at a moment, throws or prints: what a run starts goes on under its name, however late. Code
// that a kind's file has started while it was loaded belongs to the kind.
import { AsyncLocalStorage } from 'node:async_hooks'

/** `id`: of the task; null: the file of the kind. */
export interface Owner {
  kind: string
  id: string | null
  /** Lines that were printed after its end. */
  late: number
}

const owners = new AsyncLocalStorage<Owner>()

export const ownedBy = <T>(owner: Owner, act: () => T): T => owners.run(owner, act)
/** Undefined: our own code, or nobody knows. */
export const ownerNow = (): Owner | undefined => owners.getStore()
