// How a program that is a kind has failed: what it has said of it, or how it ended. No I/O.
import type { Json } from './task.ts'

export interface ProgramFailure {
  /** For `retryOn`: `EXIT_3`, the signal that ended it, a code of its own. */
  code: string
  /** False: another attempt would end in the same way. */
  retryable?: boolean
  /** More names for `retryOn`, such as classes of an exception and of its causes. */
  names?: readonly string[]
  /** What it says of the failure for programs. */
  detail?: Json | undefined
}

/** Without a stack: it would show ours, and none of the program's. */
export class ProgramError extends Error implements ProgramFailure {
  readonly code: string
  readonly retryable: boolean
  readonly names: readonly string[]
  readonly detail: Json | undefined
  constructor(message: string, { code, retryable = true, names = [], detail }: ProgramFailure) {
    super(message)
    this.name = 'ProgramError'
    this.code = code
    this.retryable = retryable
    this.names = names
    this.detail = detail
    Object.defineProperty(this, 'stack', { value: undefined })
  }
}
