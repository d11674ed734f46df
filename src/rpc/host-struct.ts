// The machine, the processes and the queue as structs.
import types from '../../gen/js/rpcinterface_types.js'
import type { ServiceState } from '../core/service.ts'
import { type ProcessView, viewProcess } from '../core/state-reader.ts'
import type { HostSnapshot } from '../platform/host.ts'
import { build, i64, i64OrNull, i64s } from './build.ts'

const processStruct = (view: ProcessView) =>
  build(types.BundleProcess, {
    ...view,
    counters: i64s(view.counters),
    rssBytes: i64(view.rssBytes),
    runningByKind: view.runningByKind ?? null,
    takesNone: view.takesNone ?? null,
    kindsCode: view.kindsCode ?? null,
    kindsUsedAt: view.kindsUsedAt ?? null,
  })

const machineFields = (host: HostSnapshot) => ({
  sampledAt: host.sampledAt,
  hostName: host.name,
  uptimeSeconds: host.uptimeSeconds,
  platform: host.os.platform,
  osName: host.os.name,
  kernel: host.os.kernel,
  arch: host.os.arch,
  cpu: build(types.Cpu, host.cpu),
  loadAverages: [...host.loadAverages],
  memory: build(types.Memory, {
    totalBytes: i64(host.memory.totalBytes),
    availableBytes: i64(host.memory.availableBytes),
    usedBytes: i64(host.memory.usedBytes),
    usedPercent: host.memory.usedPercent,
  }),
  disks: host.disks.map(disk =>
    build(types.Disk, { ...disk, totalBytes: i64(disk.totalBytes), freeBytes: i64(disk.freeBytes) }),
  ),
  addresses: host.addresses.map(({ interface: networkInterface, address, family, internal }) =>
    build(types.NetworkAddress, { networkInterface, address, family, isInternal: internal }),
  ),
  container:
    host.container &&
    build(types.ContainerLimits, {
      cpuCores: host.container.cpuCores,
      cpusetCores: host.container.cpusetCores,
      memoryLimitBytes: i64OrNull(host.container.memoryLimitBytes),
      memoryUsedBytes: i64OrNull(host.container.memoryUsedBytes),
    }),
})

export interface HostStatusParts {
  host: HostSnapshot
  state: ServiceState | null
  trouble: string | null
  version: string
  now: Date
}

export const hostStatusStruct = ({ host, state, trouble, version, now }: HostStatusParts) =>
  build(types.HostStatus, {
    name: 'madhava',
    version,
    time: now.toISOString(),
    ...machineFields(host),
    processes: state?.presences.map(presence => processStruct(viewProcess(presence, now.getTime()))) ?? null,
    tasks: state && i64s(state.counts.byStatus),
    troubles: trouble === null ? {} : { state: trouble },
  })

export const queueStatusStruct = ({ name, status, reason, depth, outbox }: ServiceState['queue']) =>
  build(types.QueueStatus, { name, status, reason, depth: i64OrNull(depth), outbox: i64(outbox) })
