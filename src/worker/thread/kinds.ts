// The kinds that a thread has loaded.
import { type KindSettings, loadKind, type NamedKind } from '../../core/kind.ts'
import { importModule } from '../../platform/modules.ts'
import { ownedBy } from './code-origin.ts'
import type { ReuseCheck } from './reuse-check.ts'

export interface ThreadKinds {
  /** @throws ModuleLoadError, KIND_INVALID; Node caches a failure, so this thread cannot load the kind any more */
  load(name: string, file: string): Promise<NamedKind>
  /** The only kind that may still use this thread, since its file has changed shared objects; null: any. */
  onlyFor(): string | null
}

export const createThreadKinds = (settings: KindSettings, reuseCheck: ReuseCheck): ThreadKinds => {
  const loaded = new Map<string, Promise<NamedKind>>()
  let onlyFor: string | null = null

  const loadFirst = async (name: string, file: string): Promise<NamedKind> => {
    const owner = { kind: name, id: null, late: 0 }
    const kind = await ownedBy(owner, async () => {
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
    load(name, file) {
      const known = loaded.get(file)
      if (known) return known
      const loading = loadFirst(name, file)
      loaded.set(file, loading)
      return loading
    },
    onlyFor: () => onlyFor,
  }
}
