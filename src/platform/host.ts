// The machine's figures, sampled in the background so that asking costs nothing. Nothing here may block the
// process or fail it: what cannot be read is null or left out.
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type ContainerLimits, readContainerLimits } from './cgroup.ts'
import { type DiskSnapshot, readAllDisks, readDiskOf } from './disks.ts'
import type { Log } from './log.ts'
import { percent, round } from './percent.ts'

export interface HostSnapshot {
  /** ISO-8601; when CPU and memory were sampled. */
  sampledAt: string
  name: string
  uptimeSeconds: number
  os: { platform: string; name: string | null; kernel: string; arch: string }
  cpu: {
    model: string | null
    cores: number
    physicalCores: number | null
    /** 0 to 100 over the time between two samples, all cores together; null before the second sample. */
    loadPercent: number | null
    loadPercentPerCore: number[]
  }
  /** Over 1, 5 and 15 minutes. */
  loadAverages: [number, number, number]
  memory: { totalBytes: number; availableBytes: number; usedBytes: number; usedPercent: number }
  disks: DiskSnapshot[]
  addresses: { interface: string; address: string; family: 'IPv4' | 'IPv6'; internal: boolean }[]
  /** Null where nothing limits this process below the machine. */
  container: ContainerLimits | null
}

export interface HostSampler {
  /** The last sample; never waits. */
  snapshot(): HostSnapshot
  /** Idempotent. */
  close(): void
}

export interface HostSamplerOptions {
  dataDir: string
  /** Milliseconds between samples of CPU, memory, addresses, limits and the data folder's disk. */
  everyMs?: number
  /** Milliseconds between looks at all disks, which runs a program. */
  disksEveryMs?: number
  log: Log
  clock?: () => Date
  /** Stands for `/` where /proc and /sys are read. */
  root?: string
}

/** What runs programs waits so long after the start, unless somebody asks before. */
const AFTER_START_MS = 2_000
/** When nobody has asked for so long, samples are taken so seldom. */
const ASKED_MS = 60_000
const UNASKED_EVERY = 30

type CpuTimes = { busy: number; total: number }

/** Load between two readings, 0 to 100; the counters may stand still or be set back. */
export const loadBetween = (before: CpuTimes, after: CpuTimes): number =>
  percent(after.busy - before.busy, after.total - before.total)

const cpuTimes = (): CpuTimes[] =>
  os.cpus().map(({ times }) => {
    const total = times.user + times.nice + times.sys + times.idle + times.irq
    return { total, busy: total - times.idle }
  })

const sum = (times: readonly CpuTimes[]): CpuTimes => ({
  busy: times.reduce((all, { busy }) => all + busy, 0),
  total: times.reduce((all, { total }) => all + total, 0),
})

/** Bytes of MemTotal and MemAvailable in the text of /proc/meminfo; null when they are not there. */
export const parseMeminfo = (text: string): { totalBytes: number; availableBytes: number } | null => {
  const kibibytes = (name: string) => new RegExp(`^${name}:\\s+(\\d{1,15}) kB$`, 'm').exec(text)?.[1]
  const [total, available] = [kibibytes('MemTotal'), kibibytes('MemAvailable')]
  if (total === undefined || available === undefined) return null
  return { totalBytes: Number(total) * 1024, availableBytes: Number(available) * 1024 }
}

const readMemory = async (root: string): Promise<{ totalBytes: number; availableBytes: number }> => {
  const text = await readFile(path.join(root, 'proc/meminfo'), 'utf8').catch(() => '')
  return parseMeminfo(text) ?? { totalBytes: os.totalmem(), availableBytes: os.freemem() }
}

const memoryOf = ({ totalBytes, availableBytes }: { totalBytes: number; availableBytes: number }) => {
  const usedBytes = Math.max(0, totalBytes - availableBytes)
  return { totalBytes, availableBytes, usedBytes, usedPercent: percent(usedBytes, totalBytes) }
}

/** Limits that are none of this machine's own: a limit at or above what it has is not one. */
const limitsThatBind = (limits: ContainerLimits | null, cores: number, totalBytes: number) => {
  if (limits === null) return null
  const below = (value: number | null, own: number) => (value !== null && value < own ? value : null)
  const memoryLimitBytes = below(limits.memoryLimitBytes, totalBytes)
  const cpuCores = below(limits.cpuCores, cores)
  const cpusetCores = below(limits.cpusetCores, cores)
  if (memoryLimitBytes === null && cpuCores === null && cpusetCores === null) return null
  return { ...limits, memoryLimitBytes, cpuCores, cpusetCores }
}

const addresses = (): HostSnapshot['addresses'] =>
  Object.entries(os.networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map(({ address, family, internal }) => ({ interface: name, address, family, internal })),
  )

/** Runs a look at most once at a time and lets a late one, such as on a hung network disk, do no harm. */
const oneAtATime = (look: () => Promise<void>, failed: (error: unknown) => void): (() => void) => {
  let busy = false
  return () => {
    if (busy) return
    busy = true
    look()
      .catch(failed)
      .finally(() => {
        busy = false
      })
  }
}

/** Begins to sample at once. CPU load is known after a quarter of a second. */
export const createHostSampler = (options: HostSamplerOptions): HostSampler => {
  const {
    dataDir,
    everyMs = 2_000,
    disksEveryMs = 60_000,
    log,
    clock = () => new Date(),
    root = '/',
  } = options
  let closed = false
  let last = cpuTimes()
  let folderDisk: DiskSnapshot | null = null
  let disks: DiskSnapshot[] = []
  let limits: ContainerLimits | null = null
  const model = os.cpus()[0]?.model.trim() || null
  const base = {
    name: os.hostname(),
    os: { platform: os.platform(), name: null, kernel: os.release(), arch: os.arch() },
  }
  let now: Omit<HostSnapshot, 'disks' | 'container' | 'uptimeSeconds'> = {
    ...base,
    sampledAt: clock().toISOString(),
    cpu: { model, cores: last.length, physicalCores: null, loadPercent: null, loadPercentPerCore: [] },
    loadAverages: [0, 0, 0],
    memory: memoryOf({ totalBytes: os.totalmem(), availableBytes: os.freemem() }),
    addresses: addresses(),
  }

  const failed = (what: string) => (error: unknown) => {
    if (!closed) log.debug({ error }, `${what} cannot be read`)
  }
  const sampleCpu = (): void => {
    const times = cpuTimes()
    const [one = 0, five = 0, fifteen = 0] = os.loadavg()
    now = {
      ...now,
      sampledAt: clock().toISOString(),
      cpu: {
        ...now.cpu,
        cores: times.length,
        loadPercent: loadBetween(sum(last), sum(times)),
        loadPercentPerCore: times.map((after, core) => loadBetween(last[core] ?? after, after)),
      },
      loadAverages: [round(one), round(five), round(fifteen)],
      addresses: addresses(),
    }
    last = times
  }
  const sampleMemory = oneAtATime(async () => {
    const memory = memoryOf(await readMemory(root))
    now = { ...now, memory }
  }, failed('memory'))
  const sampleLimits = oneAtATime(async () => {
    limits = await readContainerLimits(root)
  }, failed('container limits'))
  const sampleFolder = oneAtATime(async () => {
    folderDisk = await readDiskOf(dataDir)
  }, failed('the disk of the data folder'))
  const sampleDisks = oneAtATime(async () => {
    disks = await readAllDisks()
  }, failed('disks'))
  const readNames = oneAtATime(async () => {
    const { default: si } = await import('systeminformation')
    const [cpu, system] = await Promise.all([si.cpu(), si.osInfo()])
    const brand = [cpu.manufacturer, cpu.brand].filter(Boolean).join(' ')
    now = {
      ...now,
      os: { ...now.os, name: [system.distro, system.release].filter(Boolean).join(' ') || null },
      cpu: { ...now.cpu, model: brand || model, physicalCores: cpu.physicalCores || null },
    }
  }, failed('the names of CPU and system'))

  const sampleSoon = (): void => {
    sampleMemory()
    sampleLimits()
    sampleFolder()
  }
  sampleSoon()
  let programsRun = false
  /** These run programs, which a start should not wait for. */
  const runPrograms = (): void => {
    if (programsRun || closed) return
    programsRun = true
    sampleDisks()
    readNames()
  }
  const later = setTimeout(runPrograms, AFTER_START_MS).unref()
  let askedAt = Number.NEGATIVE_INFINITY
  let sampledAt = performance.now()
  let next: NodeJS.Timeout | undefined
  const sample = (): void => {
    clearTimeout(next)
    sampledAt = performance.now()
    sampleCpu()
    sampleSoon()
    const wanted = sampledAt - askedAt < ASKED_MS
    next = setTimeout(sample, wanted ? everyMs : UNASKED_EVERY * everyMs).unref()
  }
  const first = setTimeout(sample, Math.min(250, everyMs)).unref()
  const looks = setInterval(sampleDisks, disksEveryMs).unref()

  return {
    snapshot() {
      askedAt = performance.now()
      runPrograms()
      // nobody had asked for a while
      if (!closed && askedAt - sampledAt > 2 * everyMs) sample()
      return {
        ...now,
        uptimeSeconds: Math.round(os.uptime()),
        disks: folderDisk ? [folderDisk, ...disks] : disks,
        container: limitsThatBind(limits, now.cpu.cores, now.memory.totalBytes),
      }
    },
    close() {
      closed = true
      for (const timer of [first, next, looks, later]) clearTimeout(timer)
    },
  }
}
