import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { ContainerLimits } from '../../src/platform/cgroup.ts'
import { capacityOf, usableResources } from '../../src/worker/capacity.ts'

const MB = 1024 ** 2
const ROLES = ['api', 'worker', 'rpc', 'dashboard']
const capacity = (
  { cores = 4, memoryMb = 8_192 }: { cores?: number; memoryMb?: number },
  settings: { concurrency?: number; taskMemoryMb?: number; roles?: string[] } = {},
) => {
  const { concurrency = null, taskMemoryMb = 512, roles = ROLES } = settings
  return capacityOf({ concurrency, taskMemoryMb, roles }, { cores, memoryBytes: memoryMb * MB })
}
const limits = (some: Partial<ContainerLimits>): ContainerLimits => ({
  cgroup: 2,
  cpuCores: null,
  cpusetCores: null,
  memoryLimitBytes: null,
  memoryUsedBytes: null,
  ...some,
})

describe('the capacity of a worker', () => {
  it('is one slot per core with all the heap that was asked for, where there is enough', () => {
    assert.deepEqual(capacity({}), { slots: 4, taskMemoryMb: 512, cores: 4 })
    assert.deepEqual(capacity({ cores: 1.5 }), { slots: 2, taskMemoryMb: 512, cores: 2 })
    assert.deepEqual(capacity({ cores: 0.1 }), { slots: 1, taskMemoryMb: 512, cores: 1 })
  })

  it('has smaller heaps first, and fewer slots then, where the memory does not hold them', () => {
    assert.deepEqual(capacity({ memoryMb: 480 + 1_024 }), { slots: 4, taskMemoryMb: 256, cores: 4 })
    assert.deepEqual(capacity({ memoryMb: 416 + 300 }), { slots: 2, taskMemoryMb: 150, cores: 4 })
    assert.deepEqual(capacity({ memoryMb: 384 + 20 }), { slots: 1, taskMemoryMb: 20, cores: 4 })
    assert.deepEqual(capacity({ memoryMb: 100 }), { slots: 1, taskMemoryMb: 16, cores: 4 })
  })

  it('leaves the processes of this container their memory, and no more', () => {
    assert.deepEqual(capacity({ memoryMb: 512 }, { roles: ['worker'] }), {
      slots: 2,
      taskMemoryMb: 144,
      cores: 4,
    })
    assert.deepEqual(capacity({ memoryMb: 512 }), { slots: 1, taskMemoryMb: 128, cores: 4 })
  })

  it('keeps the slots that are set, and a small heap that is set', () => {
    assert.deepEqual(capacity({ memoryMb: 608 + 800 }, { concurrency: 8 }), {
      slots: 8,
      taskMemoryMb: 100,
      cores: 4,
    })
    assert.deepEqual(capacity({ memoryMb: 480 + 256 }, { taskMemoryMb: 64 }), {
      slots: 4,
      taskMemoryMb: 64,
      cores: 4,
    })
  })

  it('never promises more heap than there is, whatever is asked, unless there is not even the least', () => {
    fc.assert(
      fc.property(
        fc.record({ cores: fc.double({ min: 0.01, max: 512, noNaN: true }), memoryMb: fc.nat(1_000_000) }),
        fc.option(fc.integer({ min: 1, max: 1_024 })),
        fc.integer({ min: 16, max: 1_000_000 }),
        (room, concurrency, wanted) => {
          const settings = { taskMemoryMb: wanted, ...(concurrency === null ? {} : { concurrency }) }
          const { slots, taskMemoryMb } = capacity(room, settings)
          assert.ok(Number.isInteger(slots) && slots >= 1 && taskMemoryMb <= wanted)
          assert.ok(taskMemoryMb === 16 || slots * (taskMemoryMb + 32) <= room.memoryMb - 352)
        },
      ),
    )
  })

  it('goes by the lowest of what machine and container have', () => {
    const machine = { cores: 8, memoryBytes: 64_000 * MB }
    assert.deepEqual(usableResources(machine, null), machine)
    assert.deepEqual(usableResources(machine, limits({})), machine)
    assert.deepEqual(
      usableResources(machine, limits({ cpuCores: 2.5, cpusetCores: 4, memoryLimitBytes: 512 * MB })),
      {
        cores: 2.5,
        memoryBytes: 512 * MB,
      },
    )
    assert.deepEqual(usableResources(machine, limits({ cpusetCores: 2, memoryLimitBytes: 2 ** 50 })), {
      ...machine,
      cores: 2,
    })
  })
})
