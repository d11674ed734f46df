// A program of a few lines of shell, written for one test and run without a worker.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TaskContext } from '../../src/core/kind.ts'
import type { Json } from '../../src/core/task.ts'
import { createProgramRun, type ProgramToRun } from '../../src/programs/run-program.ts'
import { fileContext, type GivenFile } from '../support/file-context.ts'
import { type Ends, undo } from '../support/undo.ts'

/** An executable file, gone with the test. */
export const writeProgram = (t: Ends, text: string, name = 'prog.sh'): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-program-'))
  undo(t, () => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, name)
  writeFileSync(file, text.startsWith('#!') ? text : `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}

/** Runs the script; `over` is of the context. */
export const runShell = (
  t: Ends,
  script: string,
  {
    params = {},
    uploads = {},
    over = {},
    ...program
  }: Partial<Omit<ProgramToRun, 'params' | 'file'>> & {
    params?: Json
    uploads?: Record<string, GivenFile>
    over?: Partial<TaskContext>
  } = {},
) => {
  const checkpoints: unknown[] = []
  const made = fileContext(uploads, t, { checkpoint: data => void checkpoints.push(data), ...over })
  const run = createProgramRun({
    ...{ file: writeProgram(t, script), params: {}, answers: false, memoryBytes: null, callBytes: 1_000_000 },
    ...program,
  })
  return { ...made, checkpoints, outcome: Promise.resolve(run(params, made.context)) }
}
