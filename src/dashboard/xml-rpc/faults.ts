// supervisord's fault codes, and which of them each of our errors is.
import { isMadhavaError } from '../../core/errors.ts'
import { Fault } from './message.ts'

export const FAULTS = {
  UNKNOWN_METHOD: 1,
  INCORRECT_PARAMETERS: 2,
  BAD_ARGUMENTS: 3,
  BAD_NAME: 10,
  NO_FILE: 20,
  FAILED: 30,
  ABNORMAL_TERMINATION: 40,
  SPAWN_ERROR: 50,
  ALREADY_STARTED: 60,
  NOT_RUNNING: 70,
  SUCCESS: 80,
} as const
export type FaultName = keyof typeof FAULTS

export const fault = (name: FaultName, more?: string): Fault =>
  new Fault(FAULTS[name], more === undefined ? name : `${name}: ${more}`)

/**
 * The fault for an error of an order. supervisorctl knows few codes as the answer to a start, and FAILED is none of
 * them. Errors that are not about a process are thrown again: they are answers of HTTP.
 * @throws what it was given
 */
export const faultOf = (error: unknown, action: 'start' | 'stop' | 'look'): Fault => {
  if (error instanceof Fault) return error
  if (!isMadhavaError(error) || error.code === 'FORBIDDEN') throw error
  if (error.code === 'NOT_FOUND') return fault('BAD_NAME', error.message)
  const expected = ['PROCESS_BUSY', 'DASHBOARD_STAYS', 'SUPERVISOR_UNAVAILABLE', 'SUPERVISOR_REFUSED']
  if (!expected.includes(error.code)) throw error
  return fault(action === 'start' ? 'SPAWN_ERROR' : 'FAILED', error.message)
}
