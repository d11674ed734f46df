import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { countCpuset, readContainerLimits } from '../../src/platform/cgroup.ts'
import { createHostSampler, type HostSnapshot, loadBetween, parseMeminfo } from '../../src/platform/host.ts'
import { silentLog } from '../../src/platform/log.ts'

describe('the limits of a container', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'madhava-cgroup-'))
  })
  afterEach(() => rm(root, { recursive: true }))

  const lay = async (files: Record<string, string>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true })
      await writeFile(path.join(root, name), `${text}\n`)
    }
  }

  it('are read from cgroup v2 as a container sees it', async () => {
    await lay({
      'proc/self/cgroup': '0::/',
      'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      'sys/fs/cgroup/cpu.max': '150000 100000',
      'sys/fs/cgroup/memory.max': '209715200',
      'sys/fs/cgroup/memory.current': '100000',
      'sys/fs/cgroup/memory.stat': 'anon 50000\ninactive_file 30000\nactive_file 1',
      'sys/fs/cgroup/cpuset.cpus.effective': '0,2-3',
    })
    assert.deepEqual(await readContainerLimits(root), {
      cgroup: 2,
      cpuCores: 1.5,
      cpusetCores: 3,
      memoryLimitBytes: 209_715_200,
      memoryUsedBytes: 70_000,
    })
  })

  it('are the tightest of the group and all above it', async () => {
    await lay({
      'proc/self/cgroup': '0::/outer/inner',
      'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      'sys/fs/cgroup/outer/cpu.max': '50000 100000',
      'sys/fs/cgroup/outer/memory.max': '1000000',
      'sys/fs/cgroup/outer/memory.current': '900',
      'sys/fs/cgroup/outer/inner/cpu.max': 'max 100000',
      'sys/fs/cgroup/outer/inner/memory.max': '2000000',
      'sys/fs/cgroup/outer/inner/memory.current': '500',
    })
    const limits = await readContainerLimits(root)
    assert.deepEqual(
      [limits?.cpuCores, limits?.memoryLimitBytes, limits?.memoryUsedBytes],
      [0.5, 1_000_000, 900],
    )
  })

  it('are none where the files say max, and the path of the group may lie outside of what is seen', async () => {
    await lay({
      'proc/self/cgroup': '0::/../../docker/abc',
      'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      'sys/fs/cgroup/cpu.max': 'max 100000',
      'sys/fs/cgroup/memory.max': 'max',
      'sys/fs/cgroup/memory.current': '4096',
    })
    assert.deepEqual(await readContainerLimits(root), {
      cgroup: 2,
      cpuCores: null,
      cpusetCores: null,
      memoryLimitBytes: null,
      memoryUsedBytes: 4096,
    })
  })

  it('are read from cgroup v1, where no limit is a huge number or -1', async () => {
    await lay({
      'proc/self/cgroup': '5:cpuset:/\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '104857600',
      'sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes': '5000',
      'sys/fs/cgroup/memory/docker/abc/memory.stat': 'inactive_file 1\ntotal_inactive_file 1000',
      'sys/fs/cgroup/cpuset/cpuset.cpus': '0',
    })
    assert.deepEqual(await readContainerLimits(root), {
      cgroup: 1,
      cpuCores: null,
      cpusetCores: 1,
      memoryLimitBytes: 104_857_600,
      memoryUsedBytes: 4_000,
    })
    await lay({ 'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us': '25000' })
    await lay({ 'sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us': '100000' })
    assert.equal((await readContainerLimits(root))?.cpuCores, 0.25)
  })

  it('are null where there are no cgroups, and nonsense in the files is no limit', async () => {
    assert.equal(await readContainerLimits(root), null)
    const junk = fc.string({ maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(junk, junk, junk, async (cpu, memory, group) => {
        await lay({
          'proc/self/cgroup': `0::${group.replaceAll('\u0000', '')}`,
          'sys/fs/cgroup/cgroup.controllers': 'cpu memory',
          'sys/fs/cgroup/cpu.max': cpu,
          'sys/fs/cgroup/memory.max': memory,
        })
        const limits = await readContainerLimits(root)
        for (const value of [limits?.cpuCores, limits?.memoryLimitBytes])
          assert.ok(value === null || (typeof value === 'number' && value > 0 && Number.isFinite(value)))
      }),
      { numRuns: 50 },
    )
  })

  it('count every core that a cpuset names', () => {
    assert.equal(countCpuset('0'), 1)
    assert.equal(countCpuset('0-3,8,10-11'), 7)
    for (const text of ['', 'x', '3-1', '1-', null]) assert.equal(countCpuset(text), null)
  })
})

describe('the sampler of the machine', () => {
  let dataDir: string
  const samplers: { close(): void }[] = []
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'madhava-host-'))
  })
  afterEach(async () => {
    for (const sampler of samplers.splice(0)) sampler.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const sample = (options: { root?: string; dataDir?: string } = {}) => {
    const sampler = createHostSampler({ dataDir, everyMs: 20, log: silentLog(), ...options })
    samplers.push(sampler)
    return sampler
  }
  const until = async (
    sampler: { snapshot(): HostSnapshot },
    ready: (snapshot: HostSnapshot) => boolean,
  ): Promise<HostSnapshot> => {
    const end = performance.now() + 60_000
    for (;;) {
      const snapshot = sampler.snapshot()
      if (ready(snapshot)) return snapshot
      assert.ok(performance.now() < end, `it never came: ${JSON.stringify(snapshot)}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  it('answers at once, before anything was sampled, with what is known', () => {
    const snapshot = sample().snapshot()
    assert.deepEqual(
      [snapshot.name, snapshot.cpu.loadPercent, snapshot.cpu.cores],
      [os.hostname(), null, os.cpus().length],
    )
    assert.ok(snapshot.memory.totalBytes > 0 && snapshot.uptimeSeconds > 0)
  })

  it('comes to know load, memory, the disk of the data folder and the names, each in its range', async () => {
    const snapshot = await until(
      sample(),
      ({ cpu, disks, os: { name } }) =>
        cpu.loadPercent !== null && disks.some(disk => disk.data) && name !== null,
    )
    const { cpu, memory } = snapshot
    assert.equal(cpu.loadPercentPerCore.length, cpu.cores)
    for (const load of [cpu.loadPercent ?? -1, ...cpu.loadPercentPerCore]) assert.ok(load >= 0 && load <= 100)
    assert.equal(memory.usedBytes + memory.availableBytes, memory.totalBytes)
    assert.ok(memory.usedPercent > 0 && memory.usedPercent < 100)
    const disk = snapshot.disks.find(({ data }) => data)
    assert.ok(disk && disk.path === dataDir && disk.totalBytes > disk.freeBytes && disk.freeBytes > 0)
    assert.ok(snapshot.addresses.some(({ address }) => address === '127.0.0.1'))
    assert.doesNotThrow(() => JSON.stringify(snapshot))
  })

  it('reads memory and limits below the root it is given, and shows only limits that bind', async () => {
    const root = path.join(dataDir, 'root')
    await mkdir(path.join(root, 'proc/self'), { recursive: true })
    await mkdir(path.join(root, 'sys/fs/cgroup'), { recursive: true })
    const files: Record<string, string> = {
      'proc/meminfo': 'MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:     250 kB\n',
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/cgroup.controllers': '',
      'sys/fs/cgroup/cpu.max': '1000 100000',
      'sys/fs/cgroup/memory.max': String(1024 * 1024 * 10),
    }
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(root, name), text)
    const snapshot = await until(
      sample({ root }),
      ({ container, memory }) => container !== null && memory.usedPercent === 75,
    )
    assert.deepEqual(snapshot.memory, {
      totalBytes: 1_024_000,
      availableBytes: 256_000,
      usedBytes: 768_000,
      usedPercent: 75,
    })
    assert.deepEqual([snapshot.container?.cpuCores, snapshot.container?.memoryLimitBytes], [0.01, null])
  })

  it('goes on when the data folder is not there and no program can be found', async () => {
    const PATH = process.env.PATH
    process.env.PATH = ''
    try {
      const sampler = sample({ dataDir: path.join(dataDir, 'gone'), root: path.join(dataDir, 'gone') })
      const snapshot = await until(sampler, ({ cpu }) => cpu.loadPercent !== null)
      assert.equal(
        snapshot.disks.some(({ data }) => data),
        false,
      )
      assert.equal(snapshot.container, null)
      assert.ok(snapshot.memory.totalBytes > 0)
    } finally {
      process.env.PATH = PATH
    }
  })

  it('takes no more samples after close, and closes twice', async () => {
    const sampler = sample()
    await until(sampler, ({ cpu }) => cpu.loadPercent !== null)
    sampler.close()
    sampler.close()
    const { sampledAt } = sampler.snapshot()
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.equal(sampler.snapshot().sampledAt, sampledAt)
  })

  it('a load lies between 0 and 100, whatever the counters do', () => {
    const times = fc.record({ busy: fc.nat(), total: fc.nat() })
    fc.assert(
      fc.property(times, times, (before, after) => {
        const load = loadBetween(before, after)
        assert.ok(load >= 0 && load <= 100)
      }),
    )
    assert.equal(loadBetween({ busy: 10, total: 100 }, { busy: 35, total: 200 }), 25)
  })

  it('memory figures come from /proc/meminfo only when both are there', () => {
    assert.equal(parseMeminfo(''), null)
    assert.equal(parseMeminfo('MemTotal: 1 kB\n'), null)
    const figures = parseMeminfo('MemTotal: 8 kB\nMemAvailable: 2 kB\n')
    assert.deepEqual(figures, { totalBytes: 8192, availableBytes: 2048 })
  })
})
