// What the container lets this process use: cgroup v2, with v1 as fallback. Reads small files under /proc and /sys
// only; whatever is missing or unreadable means "no limit known", never an error.
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export interface ContainerLimits {
  cgroup: 1 | 2
  /** CPU time per time, 1.5 = one and a half cores; null: no limit. */
  cpuCores: number | null
  /** How many cores it may run on; null: not known. */
  cpusetCores: number | null
  /** Null: no limit. */
  memoryLimitBytes: number | null
  /** In use, without the file cache that can be given back. */
  memoryUsedBytes: number | null
}

const read = async (...parts: string[]): Promise<string | null> => {
  try {
    return (await readFile(path.join(...parts), 'utf8')).trim()
  } catch {
    return null
  }
}

/** A size or time; null for `max`, -1, what is no number, and the huge values that mean "none". */
const amount = (text: string | null): number | null => {
  if (text === null || !/^\d{1,20}$/.test(text)) return null
  const value = Number(text)
  return value > 0 && value < 2 ** 60 ? value : null
}

/** How many cores `0-3,6` names. */
export const countCpuset = (text: string | null): number | null => {
  if (text === null || text === '') return null
  let count = 0
  for (const part of text.split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
    if (!match) return null
    const span = Number(match[2] ?? match[1]) - Number(match[1]) + 1
    if (span < 1) return null
    count += span
  }
  return count
}

/** The group itself and all above it, innermost first: each of them may limit. */
const upwards = (group: string): string[] => {
  const folders: string[] = []
  for (let folder = path.posix.join('/', group); ; folder = path.posix.dirname(folder)) {
    folders.push(folder)
    if (folder === '/') return folders
  }
}

const lowest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? null : Math.min(...known)
}

/** Memory in use less the inactive file cache, as container tools count it. */
const usedMemory = (current: string | null, stat: string | null, cacheName: string): number | null => {
  const bytes = amount(current)
  if (bytes === null) return null
  const cache = stat?.split('\n').find(line => line.startsWith(`${cacheName} `))
  return Math.max(0, bytes - (amount(cache?.slice(cacheName.length + 1).trim() ?? null) ?? 0))
}

const usedAt = (
  levels: readonly { memory: number | null; used: number | null }[],
  limit: number | null,
): number | null => {
  const readable = levels.filter(level => level.used !== null)
  return (readable.find(level => limit !== null && level.memory === limit) ?? readable[0])?.used ?? null
}

const quota = (limit: string | null, period: string | null): number | null => {
  const [used, per] = [amount(limit), amount(period)]
  return used === null || per === null ? null : used / per
}

const readV2 = async (mount: string, group: string): Promise<ContainerLimits> => {
  const levels = await Promise.all(
    upwards(group).map(async folder => {
      const at = path.join(mount, folder)
      const cpu = await read(at, 'cpu.max')
      const [limit = null, period = null] = cpu?.split(' ') ?? []
      return {
        cpu: quota(limit, period),
        cpuset: countCpuset(await read(at, 'cpuset.cpus.effective')),
        memory: amount(await read(at, 'memory.max')),
        used: usedMemory(await read(at, 'memory.current'), await read(at, 'memory.stat'), 'inactive_file'),
      }
    }),
  )
  const memoryLimitBytes = lowest(levels.map(level => level.memory))
  return {
    cgroup: 2,
    cpuCores: lowest(levels.map(level => level.cpu)),
    cpusetCores: lowest(levels.map(level => level.cpuset)),
    memoryLimitBytes,
    // what fills the limit; a group's path may not exist inside the container, so the first that can be read
    memoryUsedBytes: usedAt(levels, memoryLimitBytes),
  }
}

const readV1 = async (mount: string, groups: ReadonlyMap<string, string>): Promise<ContainerLimits> => {
  const each = <T>(controller: string, level: (at: string) => Promise<T>): Promise<T[]> =>
    Promise.all(
      upwards(groups.get(controller) ?? '/').map(folder => level(path.join(mount, controller, folder))),
    )
  const cpu = await each('cpu', async at =>
    quota(await read(at, 'cpu.cfs_quota_us'), await read(at, 'cpu.cfs_period_us')),
  )
  const cpusets = await each('cpuset', async at =>
    countCpuset((await read(at, 'cpuset.effective_cpus')) ?? (await read(at, 'cpuset.cpus'))),
  )
  const memory = await each('memory', async at => ({
    memory: amount(await read(at, 'memory.limit_in_bytes')),
    used: usedMemory(
      await read(at, 'memory.usage_in_bytes'),
      await read(at, 'memory.stat'),
      'total_inactive_file',
    ),
  }))
  const memoryLimitBytes = lowest(memory.map(level => level.memory))
  return {
    cgroup: 1,
    cpuCores: lowest(cpu),
    cpusetCores: lowest(cpusets),
    memoryLimitBytes,
    memoryUsedBytes: usedAt(memory, memoryLimitBytes),
  }
}

/** What the runtime itself found; null when it found none. */
const constrainedMemory = (): number | null => {
  const bytes = process.constrainedMemory?.() ?? 0
  return bytes > 0 && bytes < 2 ** 60 ? bytes : null
}

/** The limits on this process, or null where there are no cgroups. `root` is `/`, or a folder that stands for it. */
export const readContainerLimits = async (root = '/'): Promise<ContainerLimits | null> => {
  const membership = await read(root, 'proc/self/cgroup')
  if (membership === null) return null
  const groups = new Map<string, string>()
  for (const line of membership.split('\n')) {
    const [, controllers = '', ...group] = line.split(':')
    for (const controller of controllers.split(',')) groups.set(controller, group.join(':'))
  }
  const mount = path.join(root, 'sys/fs/cgroup')
  // only the unified hierarchy has this file at its mount point
  const isV2 = (await read(mount, 'cgroup.controllers')) !== null
  const isV1 = groups.has('memory') || groups.has('cpu')
  if (!isV2 && !isV1) return null
  const limits = isV2 ? await readV2(mount, groups.get('') ?? '/') : await readV1(mount, groups)
  if (root === '/') limits.memoryLimitBytes ??= constrainedMemory()
  return limits
}
