// Writes a new kind with its test, in place of nothing that is there, and says how its test is run.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { MadhavaError } from '../core/errors.ts'
import { KIND_NAME } from '../core/kind.ts'
import { didYouMean } from '../core/nearest.ts'
import { builtInNames } from './built-in-names.ts'
import { filesOf, LANGUAGES, type Language } from './templates.ts'

export interface NewKind {
  name: string
  language: Language
  /** The kind and its test, by their paths from the current folder. */
  files: [string, string]
  /** The command that runs the test, for a shell in the current folder. */
  test: string
  /** What has to be there first, as commands or words for people. */
  needs: string[]
}

export interface NewKindOptions {
  name: string
  /** As somebody has typed it. */
  language: string
  /** The folder of kinds; made if it is not there. */
  folder: string
  /** The current one. */
  cwd: string
  /** The setting BUILT_IN_KINDS. */
  builtIn?: string | undefined
}

const SHORT: Readonly<Record<string, Language>> = {
  ts: 'typescript',
  js: 'javascript',
  py: 'python',
  sh: 'shell',
}
const PYTHON_KIT = fileURLToPath(new URL('../../sdk/python', import.meta.url))

const wrong = (text: string): MadhavaError => new MadhavaError('BAD_REQUEST', text)

const languageOf = (text: string): Language => {
  const found = LANGUAGES.find(language => language === text) ?? SHORT[text]
  if (found) return found
  throw wrong(`--lang is one of ${LANGUAGES.join(', ')}, not ${text}${didYouMean(text, LANGUAGES)}`)
}

/** The nearest name that a kind may have, or ''. */
const nearestName = (name: string): string =>
  name
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z\d]+/g, '-')
    .replace(/^[-\d]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')

const checkName = async (name: string, builtIn: string | undefined): Promise<void> => {
  if (!KIND_NAME.test(name)) {
    const near = nearestName(name)
    throw wrong(
      `A kind's name has at most 63 lower case letters, digits and dashes and begins with a letter${near === '' ? '' : `; did you mean ${near}?`}`,
    )
  }
  if ((await builtInNames(builtIn)).includes(name))
    throw wrong(
      `Madhava has a kind ${name} of its own: choose another name, or leave it out with BUILT_IN_KINDS`,
    )
}

/** Whether the nearest package.json says that .js and .ts are ES modules. */
const isModuleFolder = (folder: string): boolean => {
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, 'package.json')
    if (existsSync(file))
      try {
        return (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown } | null)?.type === 'module'
      } catch {
        return false
      }
    if (at === path.dirname(at)) return false
  }
}

const isInstalled = (name: string, folder: string): boolean => {
  try {
    createRequire(path.join(folder, 'any.js')).resolve(name)
    return true
  } catch {
    return false
  }
}

const WORD = /^[\w@%+=:,./-]+$/
/** For a POSIX shell. */
const quoted = (text: string): string => (WORD.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

const testCommand = (language: Language, test: string, cwd: string): string => {
  if (language === 'python') {
    const kit = quoted(path.relative(cwd, PYTHON_KIT) || '.')
    return `PYTHONPATH=${kit} python3 -m unittest discover ${quoted(path.dirname(test))}`
  }
  return `node ${language === 'typescript' ? '--import tsx ' : ''}--test ${quoted(test)}`
}

const needsOf = (language: Language, folder: string): string[] => {
  if (language === 'python') return []
  const needs = isInstalled('madhava/package.json', folder)
    ? []
    : ['the package in this project: npm install madhava-<version>.tgz, which npm pack makes in a clone']
  // it comes with the package, but not every installer puts it where the project finds it
  if (needs.length === 0 && language === 'typescript' && !isInstalled('tsx', folder))
    needs.push('npm install --save-dev tsx')
  return needs
}

/**
 * @throws BAD_REQUEST when the name or the language is wrong, or the kind or its test is there already; an error of the
 * file system
 */
export const writeNewKind = async ({
  name,
  language: typed,
  folder: wanted,
  cwd,
  builtIn,
}: NewKindOptions): Promise<NewKind> => {
  const language = languageOf(typed)
  await checkName(name, builtIn)
  const folder = path.resolve(cwd, wanted)
  mkdirSync(folder, { recursive: true })
  const files = filesOf(name, language, isModuleFolder(folder))
  const [kind, test] = files
  // a second file of the name, in any language, would put both in trouble
  const there = readdirSync(folder).find(
    file => files.some(each => each.name === file) || file === name || file.replace(/\.[^.]+$/, '') === name,
  )
  if (there !== undefined)
    throw wrong(`${path.join(path.relative(cwd, folder), there)} is there already, and stays as it is`)
  const written: string[] = []
  try {
    for (const { name: file, text, executable } of files) {
      const place = path.join(folder, file)
      writeFileSync(place, text, { flag: 'wx' })
      written.push(place)
      if (executable) chmodSync(place, 0o755)
    }
  } catch (error) {
    for (const place of written) rmSync(place, { force: true })
    throw error
  }
  const shown = (file: string): string => path.relative(cwd, path.join(folder, file))
  return {
    name,
    language,
    files: [shown(kind.name), shown(test.name)],
    test: testCommand(language, shown(test.name), cwd),
    needs: needsOf(language, folder),
  }
}
