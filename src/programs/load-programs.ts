// The programs of a folder as kinds: found, and asked what they are, several side by side. What is wrong with one is
// said beside what the others are.
import type { ProgramOrigin } from '../core/kind.ts'
import { describeProgram } from './describe.ts'
import { findPrograms, type ProgramFile } from './program-files.ts'

export interface LoadedProgram extends ProgramFile {
  /** A kind, as the default export of a module is one. */
  exported: unknown
  origin: ProgramOrigin
}
export interface FailedProgram extends ProgramFile {
  error: Error
}

/** Each may hang for its ten seconds; all of them together should not. */
const AT_A_TIME = 16

/** @throws an error of the file system for the folder */
export const tryPrograms = async (
  folder: string,
): Promise<{ loaded: LoadedProgram[]; failed: FailedProgram[] }> => {
  const { programs, refused } = await findPrograms(folder)
  const loaded: LoadedProgram[] = []
  const failed: FailedProgram[] = refused.map(({ reason, ...one }) => ({ ...one, error: new Error(reason) }))
  // its packages take a while to load, and most folders have no program
  const { programKind } = programs.length > 0 ? await import('./program-kind.ts') : { programKind: null }
  const rest = [...programs]
  const ask = async (): Promise<void> => {
    for (let one = rest.shift(); one && programKind; one = rest.shift())
      try {
        const program = await describeProgram(one.file)
        const { kind, schemas } = programKind(one.file, program)
        loaded.push({ ...one, exported: kind, origin: { schemas, program } })
      } catch (error) {
        failed.push({ ...one, error: error as Error })
      }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, ask))
  return { loaded, failed }
}
