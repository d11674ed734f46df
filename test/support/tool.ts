// Runs a tool of `bin/` to its end, as people do.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** `stdio` and `env` as for `spawnSync`; the tool inherits this process's environment by default. */
export const runTool = (
  name: 'export' | 'fsck' | 'import' | 'migrate' | 'reset-password',
  args: readonly string[],
  options: Pick<SpawnSyncOptions, 'stdio' | 'env'> = {},
): { status: number | null; stdout: string; stderr: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`bin/${name}.mjs`, ...args], {
    ...options,
    cwd: ROOT,
    encoding: 'utf8',
  })
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' }
}
