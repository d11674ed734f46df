// Sizes of disks, in bytes. Nothing here blocks the process.
import { statfs } from 'node:fs/promises'
import { percent } from './percent.ts'

export interface DiskSnapshot {
  /** Where it is mounted; for the data folder's disk, the data folder. */
  path: string
  totalBytes: number
  /** What a user without special rights may still write. */
  freeBytes: number
  usedPercent: number
  /** Whether the data folder lies here as far as was asked of the system. */
  data: boolean
}

/** The disk that a folder lies on. */
export const readDiskOf = async (folder: string): Promise<DiskSnapshot> => {
  const { bsize, blocks, bfree, bavail } = await statfs(folder)
  return {
    path: folder,
    totalBytes: blocks * bsize,
    freeBytes: bavail * bsize,
    usedPercent: percent(blocks - bfree, blocks - bfree + bavail),
    data: true,
  }
}

/**
 * All real disks, each once: a container sees the same disk under several single files. Runs `df` without
 * blocking; empty where that is missing.
 */
export const readAllDisks = async (): Promise<DiskSnapshot[]> => {
  const { default: si } = await import('systeminformation')
  const byDevice = new Map<string, DiskSnapshot>()
  for (const { fs, mount, size, available, used } of await si.fsSize()) {
    if (!(size > 0) || typeof mount !== 'string') continue
    const known = byDevice.get(fs)
    if (known && known.path.length <= mount.length) continue
    byDevice.set(fs, {
      path: mount,
      totalBytes: size,
      freeBytes: available,
      usedPercent: percent(used, used + available),
      data: false,
    })
  }
  return [...byDevice.values()]
}
