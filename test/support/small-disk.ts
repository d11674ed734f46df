// Small file systems of their own for tests that fill them: a tmpfs, or an ext4 image on a loop device. Needs root.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface SmallDisk {
  dir: string
  /** @throws Error with what `mount` said */
  remount(options: string): void
  /** As after a reboot: the mount is given up and made anew. @throws Error when something is still open on it */
  mountAnew(): void
  close(): void
}

const run = (command: string, ...args: string[]): void => {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}

/** @throws Error when nothing can be mounted here */
export const makeDisk = (kind: 'tmpfs' | 'ext4', options = 'size=16m'): SmallDisk => {
  const place = mkdtempSync(path.join(os.tmpdir(), 'small-disk-'))
  const dir = path.join(place, 'mnt')
  mkdirSync(dir)
  const image = path.join(place, 'image')
  const mount = (): void =>
    kind === 'tmpfs'
      ? run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', dir)
      : run('mount', '-o', 'loop', image, dir)
  try {
    if (kind === 'ext4') {
      run('truncate', '-s', '24M', image)
      run('mkfs.ext4', '-q', '-F', '-m', '0', '-N', '4096', image)
    }
    mount()
  } catch (error) {
    rmSync(place, { recursive: true, force: true })
    throw error
  }
  return {
    dir,
    remount: wanted => run('mount', '-o', `remount,${wanted}`, dir),
    mountAnew() {
      run('umount', dir)
      mount()
    },
    close() {
      run('umount', '--lazy', dir)
      rmSync(place, { recursive: true, force: true })
    },
  }
}

/**
 * False when disks of this kind can be mounted here, else the reason to skip.
 * @throws Error when they cannot and REQUIRE_SERVICES=1
 */
export const requireDisk = (kind: 'tmpfs' | 'ext4'): string | false => {
  try {
    makeDisk(kind).close()
    return false
  } catch (error) {
    const reason = `no ${kind} can be mounted here (${error instanceof Error ? error.message : String(error)})`
    if (process.env.REQUIRE_SERVICES === '1') throw new Error(reason)
    console.error(`SKIPPED: ${reason}`)
    return reason
  }
}
