// Who reads, what they may do, and which installation this is: asked for once, at the start.
import type { Right } from '../paths.ts'
import { get, setPageToken } from './api.ts'
import { createCell } from './cell.ts'
import { setRights } from './rights.ts'

export interface Me {
  name: string
  /** The id of the account. */
  account: string
  role: string
  may: readonly Right[]
  /** What a key of this account may be allowed. */
  scopes: readonly string[]
  /** A login of the installation itself. */
  isBuiltIn: boolean
  csrf: string
  sessionEndsAt: string
  installation: { name: string; host: string; version: string; startedAt: string }
}

/** Null until it is known. */
export const me = createCell<Me | null>(null)

/** @throws ProblemError */
export const loadMe = async (): Promise<void> => {
  const found = await get<Me>('/me.json')
  setPageToken(found.csrf)
  setRights(found.may)
  me.set(found)
}

const has = (who: Me | null, right: Right): boolean => who?.may.includes(right) ?? false

/** Whether the reader may change tasks that they see. Others see every button's place, and none of them. */
export const mayChange = (who: Me | null): boolean => has(who, 'tasks.change')
/** Whether the reader may start and stop processes. */
export const mayOrder = (who: Me | null): boolean => has(who, 'processes.change')
