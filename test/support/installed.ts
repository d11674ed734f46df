// A project into which the package is installed: what `npm pack` makes of this checkout, unpacked, with the packages that
// it depends on linked beside it. It needs no registry.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Project {
  /** Its path has a space. */
  readonly folder: string
  readonly tarball: string
  /** What the tarball has, without the leading `package/`. */
  readonly files: readonly { path: string; size: number }[]
  /** Writes files by their paths in the project. */
  write(files: Readonly<Record<string, string>>): void
  /** Runs a program of Node in the project to its end. */
  node(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): { status: number | null; stdout: string; stderr: string }
  remove(): void
}

const run = (
  command: string,
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
) => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...env, ...more },
  })
  return { status, stdout, stderr }
}

/** What it printed. @throws AssertionError with its words when it fails */
export const must = (command: string, args: readonly string[], cwd: string): string => {
  const { status, stdout, stderr } = run(command, args, cwd)
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** Packages that are installed beside this one, and not those that only its development needs. */
const linkDependencies = (modules: string): void => {
  const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>
  }
  for (const [place, { dev }] of Object.entries(packages)) {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(place)?.[1]
    if (name === undefined || dev) continue
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true })
    // one of another system is not there, and its link leads nowhere
    symlinkSync(path.join(ROOT, place), path.join(modules, name))
  }
}

/** dist/ must be there, as after `npm run build`. */
export const installProject = (): Project => {
  const place = mkdtempSync(path.join(tmpdir(), 'madhava-package-'))
  const folder = path.join(place, 'my project')
  const modules = path.join(folder, 'node_modules')
  mkdirSync(modules, { recursive: true })
  must(process.execPath, ['bin/build-types.mjs'], ROOT)
  const options = ['--ignore-scripts', '--json', '--pack-destination', place]
  const packed = JSON.parse(must('npm', ['pack', ...options], ROOT)) as unknown
  // of npm 12 by name, before that a list
  const [{ filename, files }] = Object.values(packed as object) as [
    { filename: string; files: { path: string; size: number }[] },
  ]
  const tarball = path.join(place, filename)
  must('tar', ['-xzf', tarball, '-C', place], place)
  renameSync(path.join(place, 'package'), path.join(modules, 'madhava'))
  linkDependencies(modules)
  mkdirSync(path.join(modules, '.bin'))
  chmodSync(path.join(modules, 'madhava/bin/madhava.mjs'), 0o755)
  symlinkSync('../madhava/bin/madhava.mjs', path.join(modules, '.bin/madhava'))
  return {
    folder,
    tarball,
    files,
    write(texts) {
      for (const [name, text] of Object.entries(texts)) {
        mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
        writeFileSync(path.join(folder, name), text)
      }
    },
    node: (args, env) => run(process.execPath, args, folder, env),
    remove: () => rmSync(place, { recursive: true, force: true }),
  }
}
