// Decides which files of a user's folder are kinds, and what is wrong with the others. No I/O: platform/modules has
// read them, and programs/load-programs has asked the programs.
import { checkExample, type KindSettings, loadKind, type NamedKind, type ProgramOrigin } from './kind.ts'
import { type KindTrouble, publicReason } from './kind-trouble.ts'

interface KindFile {
  /** The file's name without its extension, which is the kind's name. */
  name: string
  file: string
  /** The file's name for display. */
  shown: string
}

export interface JudgedKinds {
  /** Each kind with its file. */
  kinds: [NamedKind, string][]
  /** In the order of the files. */
  troubles: KindTrouble[]
}

const reasonOf = (error: unknown, shown: string): string => {
  const text = error instanceof Error ? error.message : String(error)
  return publicReason(text.startsWith(`${shown}: `) ? text.slice(shown.length + 2) : text)
}

/** Never rejects. `ours`: the names of the built-in kinds. */
export const sortKindFiles = async ({
  loaded,
  failed,
  ours,
  settings,
}: {
  loaded: readonly (KindFile & { exported: unknown; origin?: ProgramOrigin })[]
  failed: readonly (KindFile & { error: Error })[]
  ours: ReadonlySet<string>
  settings: KindSettings
}): Promise<JudgedKinds> => {
  const kinds: [NamedKind, string][] = []
  const troubles: KindTrouble[] = failed.map(({ name, shown, error }) => ({
    name,
    file: shown,
    reason: reasonOf(error, shown),
  }))
  for (const { name, file, shown, exported, origin } of loaded) {
    const add = (reason: string) => troubles.push({ name, file: shown, reason })
    const same = [...loaded, ...failed].filter(one => one.name === name).map(one => one.shown)
    if (ours.has(name)) add(`Madhava has a kind ${name} of its own; rename the file`)
    else if (same.length > 1)
      add(`${same.length} files define the kind ${name} (${same.join(', ')}); rename them`)
    // the schema's own code runs on the example, and may be asynchronous
    else
      try {
        const kind = loadKind(name, exported, shown, settings, origin)
        await checkExample(kind, shown)
        kinds.push([kind, file])
      } catch (error) {
        add(reasonOf(error, shown))
      }
  }
  return { kinds, troubles: troubles.sort((a, b) => (a.file < b.file ? -1 : 1)) }
}
