// The kind `acts` on each runner: a module, a program in plain lines, a program in Python.
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadKind } from '../../../src/core/kind.ts'
import { describeProgram } from '../../../src/programs/describe.ts'
import { programKind } from '../../../src/programs/program-kind.ts'
import type { RunnerPlace } from '../../suites/runners.ts'
import { requireService } from '../../support/services.ts'
import acts from './acts.ts'

export const RUNNERS = ['module', 'program', 'python'] as const
export type RunnerName = (typeof RUNNERS)[number]

const FILES: Readonly<Record<RunnerName, string>> = {
  module: 'acts.ts',
  program: 'acts.cjs',
  python: 'acts.py',
}

/** @param folder where a copy of the program is made, so that its processes are told from those of others */
export const openRunnerPlace = async (name: RunnerName, folder?: string): Promise<RunnerPlace> => {
  const own = fileURLToPath(new URL(FILES[name], import.meta.url))
  const file = folder === undefined || name === 'module' ? own : path.join(folder, FILES[name])
  if (file !== own) await cp(own, file)
  if (name === 'module') return { kind: loadKind('acts', acts, 'acts.ts'), file }
  const program = await describeProgram(file)
  const { kind, schemas } = programKind(file, program)
  return { kind: loadKind('acts', kind, FILES[name], undefined, { schemas, program }), file }
}

/** Why a runner cannot be tried here; false: it can. */
export const whyNotHere = (name: RunnerName): string | false =>
  name === 'python' ? requireService('python') : false
