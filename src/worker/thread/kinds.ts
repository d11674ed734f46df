// The kinds that a thread has loaded.
import { type KindSettings, loadKind, type NamedKind } from '../../core/kind.ts'
import { importModule } from '../../platform/modules.ts'
import { ownedBy } from './code-origin.ts'
import type { ReuseCheck } from './reuse-check.ts'

export interface ThreadKinds {
  /**
   * `program`: what the file has said of itself; left out: it is a module.
   * @throws ModuleLoadError, KIND_INVALID; Node caches a failure, so this thread cannot load the kind any more
   */
  load(name: string, file: string, program?: string): Promise<NamedKind>
  /** The only kind that may still use this thread, since its file has changed shared objects; null: any. */
  onlyFor(): string | null
}

export const createThreadKinds = (
  settings: KindSettings,
  reuseCheck: ReuseCheck,
  limits: { memoryBytes: number; resultBytes: number },
): ThreadKinds => {
  const loaded = new Map<string, Promise<NamedKind>>()
  let onlyFor: string | null = null

  const loadProgram = async (name: string, file: string, program: string): Promise<NamedKind> => {
    // most threads run none
    const { programKind } = await import('../../programs/program-kind.ts')
    const { kind, schemas } = programKind(file, program, limits)
    return loadKind(name, kind, file, settings, { schemas, program })
  }
  const loadFirst = async (name: string, file: string, program?: string): Promise<NamedKind> => {
    const owner = { kind: name, id: null, late: 0 }
    const kind = await ownedBy(owner, async () => {
      if (program !== undefined) return loadProgram(name, file, program)
      const exported = await importModule(file)
      return loadKind(
        name,
        exported,
        file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1),
        settings,
      )
    })
    // the kind may rely on what its file has changed
    if (reuseCheck.noteChanges()) onlyFor = name
    return kind
  }
  return {
    load(name, file, program) {
      // two kinds may be links to one file
      const key = `${name}\0${file}\0${program ?? ''}`
      const known = loaded.get(key)
      if (known) return known
      const loading = loadFirst(name, file, program)
      loaded.set(key, loading)
      return loading
    },
    onlyFor: () => onlyFor,
  }
}
