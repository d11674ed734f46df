// Starts a program in a process group of its own, and says why that did not work.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

const WORDS: Readonly<Record<string, string>> = {
  ENOEXEC: 'it is no program of this machine. A script names its interpreter first: #!/usr/bin/env python3',
  ENOENT: 'it could not be started: it is gone, or there is no such interpreter as its first line names',
  EACCES: 'it could not be started: this user may not execute it, or its disk is mounted with noexec',
}

/** For people. `error`: of the system, or of a thread that may start nothing more. */
export const whyNotStarted = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return WORDS[code ?? ''] ?? `it could not be started: ${message}`
}

/** Most errors come as an event. @throws Error with the reason for people; an AbortError when the run may start nothing */
export const startProgram = (
  file: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'detached'>,
): ChildProcess => {
  try {
    return spawn(file, args, { ...options, detached: process.platform !== 'win32' })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new Error(whyNotStarted(error), { cause: error })
  }
}
