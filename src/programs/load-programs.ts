// Programs as kinds: asked what they are, several side by side. What is wrong with one is
// said beside what the others are.
import type { ProgramOrigin } from '../core/kind.ts'
import { describeProgram } from './describe.ts'
import type { ProgramFile } from './program-files.ts'

export type LoadedProgram<T extends ProgramFile> = T & {
  /** A kind, as the default export of a module is one. */
  exported: unknown
  origin: ProgramOrigin
}
export type FailedProgram<T extends ProgramFile> = T & { error: Error }

/** Each may hang for its ten seconds; all of them together should not. */
const AT_A_TIME = 16

/** Never rejects. */
export const askPrograms = async <T extends ProgramFile>(
  programs: readonly T[],
): Promise<{ loaded: LoadedProgram<T>[]; failed: FailedProgram<T>[] }> => {
  const loaded: LoadedProgram<T>[] = []
  const failed: FailedProgram<T>[] = []
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
