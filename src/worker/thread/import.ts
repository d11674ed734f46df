// What it means that the file of a kind could not be loaded: the host was short of something, its own code failed for a
// reason that may pass, or it is wrong.
import { closeSync, openSync } from 'node:fs'
import { ModuleLoadError } from '../../platform/modules.ts'
import type { RunError, RunOutcome } from '../pool/protocol.ts'
import { shortageOf } from '../pool/shortage.ts'

/** Whether the loader met the error, and not code of the kind: its frames come first, or there are none but Node's. */
const isOfLoader = (error: unknown): boolean => {
  const frames = String((error as Error | null)?.stack ?? '')
    .split('\n')
    .filter(line => line.trimStart().startsWith('at '))
  const first = frames.findIndex(line => !line.includes('node:'))
  return first < 0 || frames.slice(0, first).some(line => line.includes('node:internal/modules'))
}

/** The loader takes what it could not open for what is not there. */
const whyNotOpened = (file: string): string | null => {
  try {
    closeSync(openSync(file, 'r'))
    return null
  } catch (error) {
    return shortageOf(error)
  }
}

const WRONG_FOR_GOOD =
  /^(?:ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ERR_(?:REQUIRE|UNKNOWN|UNSUPPORTED|INVALID|PACKAGE|IMPORT)_\w+)$/

/** An error of the code itself comes again; one of a service that was away may not. */
const mayPass = (cause: unknown): boolean => {
  if (!(cause instanceof Error)) return true
  const { code, name } = cause as NodeJS.ErrnoException
  if (cause instanceof SyntaxError || cause instanceof ReferenceError || name === 'TransformError')
    return false
  return code === undefined || !WRONG_FOR_GOOD.test(code)
}

const wordsOf = (cause: unknown): string[] => {
  if (!(cause instanceof Error)) return []
  const { name, code } = cause as NodeJS.ErrnoException
  return [name, code].filter((word): word is string => typeof word === 'string' && word !== '')
}

/** @param described the error as it is told of any other */
export const importFailure = (error: unknown, file: string, described: RunError): RunOutcome => {
  if (!(error instanceof ModuleLoadError)) return { type: 'error', error: described }
  const { cause } = error
  const short = (isOfLoader(cause) ? shortageOf(cause) : null) ?? whyNotOpened(file)
  if (short !== null) return { type: 'unbegun', reason: `short of ${short}` }
  const names = described.names.length > 0 ? described.names : wordsOf(cause)
  return { type: 'error', error: { ...described, names, retryable: mayPass(cause) } }
}
