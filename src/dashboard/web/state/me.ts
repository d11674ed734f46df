// Who reads, what they may do, and which installation this is: asked for once, at the start.
import { get, setPageToken } from './api.ts'
import { createCell } from './cell.ts'

export interface Me {
  name: string
  role: 'operator' | 'viewer'
  csrf: string
  installation: { name: string; host: string; version: string; startedAt: string }
}

/** Null until it is known. */
export const me = createCell<Me | null>(null)

/** @throws ProblemError */
export const loadMe = async (): Promise<void> => {
  const found = await get<Me>('/me.json')
  setPageToken(found.csrf)
  me.set(found)
}

/** Whether the reader may change anything. A viewer sees every button's place, and none of them. */
export const mayChange = (who: Me | null): boolean => who?.role === 'operator'
