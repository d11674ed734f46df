// Which run the code that runs now belongs to. Everything that a run starts is traced to it, however late. Code that a
// kind's file starts while it loads belongs to the kind.
import { AsyncLocalStorage } from 'node:async_hooks'

/** `id` of the task; null: the kind's file. */
export interface CodeOrigin {
  kind: string
  id: string | null
  /** Lines printed after its end. */
  late: number
}

const codeOrigins = new AsyncLocalStorage<CodeOrigin>()

export const ownedBy = <T>(origin: CodeOrigin, act: () => T): T => codeOrigins.run(origin, act)
/** Undefined: our own code, or unknown. */
export const originNow = (): CodeOrigin | undefined => codeOrigins.getStore()
