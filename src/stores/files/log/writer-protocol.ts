// The messages between a writer and its thread. An error would lose its code on the way, so it goes as plain data.
import type { MessagePort } from 'node:worker_threads'
import type { Draft, Take, TakeResult } from './writer.ts'

export interface WriterThreadData {
  port: MessagePort
  /** For takes alone. They go before the rest of a request, since the tasks that run next wait for them. */
  takes: MessagePort
}

export type WriterRequest =
  | { type: 'write'; drafts: readonly Pick<Draft, 'tmpFile' | 'text'>[] }
  | { type: 'show'; drafts: readonly Omit<Draft, 'text'>[] }
  | { type: 'discard'; files: readonly string[] }

/** The reply to takes that went together. */
export type TakeReplies = (TakeResult | PlainError)[]
export type Takes = readonly Take[]

/** One for each part of the request. */
export interface WriterReplies {
  write: (PlainError | null)[]
  show: (boolean | PlainError)[]
  discard: []
}

export interface PlainError {
  message: string
  code: string | undefined
}

const toPlain = ({ message, code }: NodeJS.ErrnoException): PlainError => ({ message, code })

/** Errors as plain data, all other values as they are. */
export const plain = <T>(outcome: T | Error): T | PlainError =>
  outcome instanceof Error ? toPlain(outcome) : outcome

const isPlainError = (outcome: unknown): outcome is PlainError =>
  typeof outcome === 'object' && outcome !== null && 'message' in outcome

/** The way back. */
export const revive = <T>(outcome: T | PlainError): T | Error => {
  if (!isPlainError(outcome)) return outcome
  const { message, code } = outcome
  return Object.assign(new Error(message), code === undefined ? {} : { code })
}
