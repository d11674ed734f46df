// Says what is wrong with a folder of kinds, as a server would at its start, without one.
import path from 'node:path'
import { publicReason } from '../core/kind-trouble.ts'
import { builtInNames } from './built-in-names.ts'
import type { CheckedKind, KindChecker } from './checker.ts'
import { looksLikeATest, readKindFolder, type Said } from './kind-folder.ts'

export interface FolderReport {
  /** Absolute. */
  folder: string
  kinds: (CheckedKind & { file: string })[]
  /** Files of which a server would say that their kind is in trouble, by their names. */
  troubles: (Said & { name: string })[]
  /** A server starts with them; the author may have meant something else. */
  warnings: Said[]
  /** Names of Madhava's own kinds that the folder's server has. */
  builtIn: string[]
}

const byFile = (a: { file: string }, b: { file: string }): number => (a.file < b.file ? -1 : 1)

/**
 * @param builtIn the setting BUILT_IN_KINDS of the server that will read the folder
 * @throws an error of the file system for the folder
 */
export const checkFolder = async (
  folder: string,
  { checker, builtIn: setting }: { checker: KindChecker; builtIn?: string | undefined },
): Promise<FolderReport> => {
  const { files, refused, warnings } = await readKindFolder(folder)
  const builtIn = await builtInNames(setting)
  const kinds: FolderReport['kinds'] = []
  const troubles: FolderReport['troubles'] = refused.map(({ file, ...rest }) => ({
    ...rest,
    file: path.basename(file),
  }))
  for (const { name, file: place } of files) {
    const file = path.basename(place)
    const add = (reason: string) => troubles.push({ name, file, reason })
    const same = [...files, ...refused].filter(one => one.name === name).map(one => path.basename(one.file))
    if (builtIn.includes(name))
      add(`Madhava has a kind ${name} of its own; rename the file, or leave that one out with BUILT_IN_KINDS`)
    else if (same.length > 1)
      add(`${same.length} files define the kind ${name} (${same.join(', ')}); rename them`)
    else {
      const answer = await checker.load(place)
      if ('kind' in answer) kinds.push({ ...answer.kind, file })
      else {
        const reason = publicReason(answer.trouble.replace(`${file}: `, ''))
        add(
          looksLikeATest(file) ? `${reason}. If it is a test, name it NAME.test.ts or test_NAME.py` : reason,
        )
      }
    }
  }
  return { folder, kinds, troubles: troubles.sort(byFile), warnings, builtIn }
}
