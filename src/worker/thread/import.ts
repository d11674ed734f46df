// Explains why a kind's file could not be loaded: the host was short of something, its code failed for a reason that
// may be temporary, or the file is wrong.
import { closeSync, openSync } from 'node:fs'
import { ModuleLoadError } from '../../platform/modules.ts'
import type { RunError, RunOutcome } from '../pool/protocol.ts'
import { shortageOf } from '../pool/shortage.ts'

/** Whether the loader failed, and not the kind's code: only frames of Node, or those of the loader first. */
const isOfLoader = (error: unknown): boolean => {
  const frames = String((error as Error | null)?.stack ?? '')
    .split('\n')
    .filter(line => line.trimStart().startsWith('at '))
  const first = frames.findIndex(line => !line.includes('node:'))
  return first < 0 || frames.slice(0, first).some(line => line.includes('node:internal/modules'))
}

/** The loader reports a file that it could not open as missing. */
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

/** An error of the code itself is permanent; one of an unavailable service may not be. */
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

/** @param described the error in the form of any other error of a run */
export const importFailure = (error: unknown, file: string, described: RunError): RunOutcome => {
  if (!(error instanceof ModuleLoadError)) return { type: 'error', error: described }
  const { cause } = error
  const short = (isOfLoader(cause) ? shortageOf(cause) : null) ?? whyNotOpened(file)
  if (short !== null) return { type: 'unbegun', reason: `short of ${short}` }
  const names = described.names.length > 0 ? described.names : wordsOf(cause)
  return { type: 'error', error: { ...described, names, retryable: mayPass(cause) } }
}
