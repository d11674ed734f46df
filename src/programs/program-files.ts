// Finds the programs among the files of a folder of kinds: what is executable and not plainly something else. It runs
// none.
import { constants } from 'node:fs'
import { access, open, readdir, stat } from 'node:fs/promises'
import path from 'node:path'

export interface ProgramFile {
  /** The file's name without its ending: the kind's name. */
  name: string
  /** Absolute. */
  file: string
}
export interface FoundPrograms {
  programs: ProgramFile[]
  /** Files that look like programs and cannot be started, with the reason for people. */
  refused: (ProgramFile & { reason: string })[]
}

/** Whoever writes such a file means a program, also where nobody has made it executable yet. */
const SCRIPT = /\.(?:awk|bash|jl|lua|php|pl|ps1|py|r|rb|sh|tcl|zsh)$/i
/** Modules are loaded in another way; the others run nowhere, also on a disk that calls every file executable. */
const NO_PROGRAM =
  /\.(?:m?[jt]s|[jt]sx|cts|md|txt|json|ya?ml|toml|ini|cfg|conf|csv|tsv|xml|html?|css|sql|log|lock|pem|key|crt|png|jpe?g|gif|webp|svg|pdf|zip|gz|xz|bz2|tar|tgz|whl|pyc|pyi|so|dylib|dll|a|o|h|c|go|rs|java|class|jar|bak|orig|rej|swp|tmp|env|example)$/i
/** `LICENSE`, `Makefile`, `Dockerfile`. */
const NAME_OF_A_TEXT = /^[A-Z][^.]*$/
const TEST = /^test_|_test(?:\.[^.]+)?$|\.test\.[^.]+$/i
/** The kit that a Python kind imports, and what pytest reads. */
const BESIDE = ['madhava.py', 'conftest.py', 'setup.py']

const isLeftAlone = (name: string): boolean =>
  /^[._]|~$/.test(name) ||
  BESIDE.includes(name) ||
  NO_PROGRAM.test(name) ||
  NAME_OF_A_TEXT.test(name) ||
  TEST.test(name)

const mayRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  )

/** Without such a line the system takes any text for a shell's. */
export const namesInterpreter = async (file: string): Promise<boolean> => {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return buffer.toString('latin1', 0, bytesRead) === '#!'
  } finally {
    await handle.close()
  }
}

/** Null: it is a program. `ignored`: it is something else. Otherwise why it cannot be started. */
const judge = async (file: string): Promise<string | null | { ignored: true }> => {
  const isScript = SCRIPT.test(file)
  try {
    const found = await stat(file)
    if (!found.isFile()) return { ignored: true }
    if (await mayRun(file)) {
      const isUnsaid = isScript && !/sh$/.test(file) && !(await namesInterpreter(file))
      return isUnsaid ? 'its first line must name its interpreter, such as #!/usr/bin/env python3' : null
    }
    if (!isScript) return { ignored: true }
    return (found.mode & 0o111) === 0
      ? `it is not executable. If it is a kind: chmod +x ${path.basename(file)}. What kinds share lies in a subfolder`
      : 'this user may not execute it, or its disk is mounted with noexec'
  } catch (error) {
    return isScript ? `it cannot be read (${(error as NodeJS.ErrnoException).code})` : { ignored: true }
  }
}

/** In the order of their names. @throws an error of the file system for the folder */
export const findPrograms = async (folder: string): Promise<FoundPrograms> => {
  const found: FoundPrograms = { programs: [], refused: [] }
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter(entry => entry.isFile() || entry.isSymbolicLink()).map(entry => entry.name)
  for (const shown of names.filter(name => !isLeftAlone(name)).sort()) {
    const one = { name: shown.replace(/\.[^.]+$/, ''), file: path.resolve(folder, shown) }
    const verdict = await judge(one.file)
    if (verdict === null) found.programs.push(one)
    else if (typeof verdict === 'string') found.refused.push({ ...one, reason: verdict })
  }
  return found
}
