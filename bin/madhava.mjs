#!/usr/bin/env node
// The command `madhava`: the programs of a server as they are in this folder, and the console for everything else.
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { built } from './built.mjs'
import { ensureInstalled } from './install.mjs'

/** @type {Readonly<Record<string, string>>} */
const PROGRAMS = {
  start: './start.mjs',
  dev: './dev.mjs',
  fsck: './fsck.mjs',
  export: './export.mjs',
  import: './import.mjs',
  migrate: './migrate.mjs',
  'reset-password': './reset-password.mjs',
}

const [name = '', ...rest] = process.argv.slice(2)
const program = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined
if (program) {
  const file = new URL(program, import.meta.url)
  process.argv = [process.execPath, fileURLToPath(file), ...rest]
  await import(file.href)
} else {
  ensureInstalled()
  await ensureBuilt()
  const { run } = await built('cli/run')
  process.exitCode = await run(process.argv.slice(2))
}
