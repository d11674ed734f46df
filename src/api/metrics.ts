// GET /metrics: the figures of every process in Prometheus's text format. Those of other processes are as of their
// last beat, at most two seconds old.
import { Hono } from 'hono'
import { type MetricObject, Registry } from 'prom-client'
import type { Actor } from '../core/actor.ts'
import { seesAll } from '../core/policy.ts'
import { whySilent } from '../core/readiness.ts'
import type { ServiceState } from '../core/service.ts'
import { createStateReader } from '../core/state-reader.ts'
import type { SeenPresence } from '../core/store.ts'
import { STATUSES } from '../core/task.ts'
import { BUCKETS, type Histogram } from '../core/timings.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import type { HttpMetrics } from './http-metrics.ts'
import { describe, type Operation } from './operation.ts'
import { createProcessNames, type ProcessNames } from './process-names.ts'

const getMetrics: Operation = {
  id: 'getMetrics',
  need: 'read',
  tag: 'server',
  summary: 'Figures for Prometheus',
  description:
    'docs/operating.md lists them. Who does not see all tasks gets the counts of those that they see, and no more.',
  answers: { 200: { description: "Prometheus's text format.", content: { 'text/plain': null } } },
}

type Labels = Record<string, string | number>
interface Sample {
  value: number
  labels: Labels
  metricName?: string
}

/** What is not there is left out: a gap says more than a zero. */
const metric = (
  registry: Registry,
  type: 'gauge' | 'counter' | 'histogram',
  name: string,
  help: string,
  values: Sample[],
): void => {
  if (values.length === 0) return
  // the library's formatter takes whatever answers `get`; its own classes count in this process alone
  registry.registerMetric({
    name,
    get: async (): Promise<MetricObject> => ({ name, help, type, values, aggregator: 'sum' }) as never,
  } as never)
}

const bucketsOf = (name: string, labels: Labels, { counts, sumSeconds }: Histogram): Sample[] => {
  let below = 0
  const buckets = counts.map((count, index) => {
    below += count
    return { metricName: `${name}_bucket`, labels: { ...labels, le: BUCKETS[index] ?? '+Inf' }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: below },
  ]
}

/** `takenOver` -> `taken_over`. */
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

const ofProcesses = (
  registry: Registry,
  processNames: ProcessNames,
  presences: readonly SeenPresence[],
  nowMs: number,
): void => {
  const seen = presences.map(presence => ({
    ...presence,
    up: presence.alive && whySilent(presence, nowMs) === null,
  }))
  const names = processNames.assign(seen)
  const all = seen.flatMap(({ instance, role, host, details, up, pid, startedAt }) => {
    const process = names.get(instance)
    // one that is gone, and whose successor goes on with its series
    return process === undefined ? [] : [{ labels: { process, role, host }, details, up, pid, startedAt }]
  })
  const living = all.filter(({ up }) => up)
  const gauge = (
    name: string,
    help: string,
    value: (details: SeenPresence['details']) => number | null,
  ): void =>
    metric(
      registry,
      'gauge',
      name,
      help,
      living.flatMap(({ labels, details }) => {
        const found = value(details)
        return found === null ? [] : [{ labels, value: found }]
      }),
    )
  metric(
    registry,
    'gauge',
    'madhava_process_up',
    '1 for a process that beats, 0 for one that is frozen or has died and is not swept yet.',
    all.map(({ labels, up }) => ({ labels, value: up ? 1 : 0 })),
  )
  metric(
    registry,
    'gauge',
    'madhava_process_start_time_seconds',
    'When the process started, in seconds since 1970.',
    living.map(({ labels, startedAt }) => ({ labels, value: Date.parse(startedAt) / 1000 })),
  )
  metric(
    registry,
    'gauge',
    'madhava_process_pid',
    'The number that the process has in its system.',
    living.map(({ labels, pid }) => ({ labels, value: pid })),
  )
  gauge(
    'madhava_kinds_used_time_seconds',
    'Since when the process uses the kinds that it has, in seconds since 1970.',
    ({ kindsUsedAt }) => (kindsUsedAt === undefined ? null : Date.parse(kindsUsedAt) / 1000),
  )
  gauge('madhava_process_resident_memory_bytes', 'Memory of the process.', ({ rssBytes }) => rssBytes)
  gauge('madhava_process_cpu_ratio', 'Share of one core since the last beat.', ({ cpu }) => cpu)
  gauge('madhava_worker_slots', 'Tasks that the worker may run at a time.', ({ slots }) => slots || null)
  gauge('madhava_worker_running', 'Tasks that the worker runs.', ({ slots, running }) =>
    slots > 0 ? running.length : null,
  )
  metric(
    registry,
    'gauge',
    'madhava_process_trouble',
    '1 for each thing that is wrong with what a process depends on (queue, store).',
    living.flatMap(({ labels, details }) =>
      Object.keys(details.troubles).map(part => ({ labels: { ...labels, part }, value: 1 })),
    ),
  )
  metric(
    registry,
    'counter',
    'madhava_events_total',
    'What happened since the start of the process; docs/operating.md lists the events.',
    living.flatMap(({ labels, details }) =>
      Object.entries(details.counters).map(([name, value]) => ({
        labels: { ...labels, event: snake(name) },
        value,
      })),
    ),
  )
  metric(
    registry,
    'counter',
    'madhava_tasks_failed_total',
    'Tasks that ended in FAILURE since the start of the process, by the code of their error.',
    living.flatMap(({ labels, details }) =>
      Object.entries(details.failures ?? {}).flatMap(([kind, codes]) =>
        Object.entries(codes).map(([code, value]) => ({ labels: { ...labels, kind, code }, value })),
      ),
    ),
  )
  for (const [what, name, help] of [
    ['wait', 'madhava_task_wait_seconds', 'From the moment a task is due to the begin of an attempt.'],
    ['run', 'madhava_task_run_seconds', 'From the begin of an attempt to its durable end.'],
  ] as const)
    metric(
      registry,
      'histogram',
      name,
      help,
      living.flatMap(({ labels, details }) =>
        Object.entries(details.timings ?? {}).flatMap(([kind, timings]) =>
          bucketsOf(name, { ...labels, kind }, timings[what]),
        ),
      ),
    )
}

const ofTasks = (registry: Registry, { counts, open, dead }: ServiceState): void => {
  metric(
    registry,
    'gauge',
    'madhava_tasks',
    'Tasks that are kept, by kind and status.',
    Object.entries(counts.byKind).flatMap(([kind, byStatus]) =>
      STATUSES.map(status => ({ labels: { kind, status }, value: byStatus[status] ?? 0 })),
    ),
  )
  metric(
    registry,
    'gauge',
    'madhava_open_tasks',
    'Tasks that wait for people.',
    Object.entries(open).map(([kind, value]) => ({ labels: { kind }, value })),
  )
  metric(
    registry,
    'gauge',
    'madhava_dead_tasks',
    'Tasks that wait, and no worker has their kind.',
    Object.entries(dead.waiting).map(([kind, value]) => ({ labels: { kind }, value })),
  )
}

const ofQueue = (registry: Registry, { queue, dead }: ServiceState): void => {
  const labels = { queue: queue.name }
  const messages = dead.messages === null ? [] : [{ labels, value: dead.messages }]
  metric(registry, 'gauge', 'madhava_dead_messages', 'Messages kept aside that announce no task.', messages)
  const depth = queue.depth === null ? [] : [{ labels, value: queue.depth }]
  metric(registry, 'gauge', 'madhava_queue_depth', 'Announcements that the broker holds.', depth)
  metric(
    registry,
    'gauge',
    'madhava_queue_outbox',
    'Announcements of the api process that wait for the broker.',
    [{ labels, value: queue.outbox }],
  )
  metric(registry, 'gauge', 'madhava_queue_up', 'Whether the api process can use the queue.', [
    { labels, value: queue.status === 'ready' ? 1 : 0 },
  ])
}

/** As of a moment ago: counting them reads all their notes. */
const ofUploads = async (registry: Registry, { service, log }: ApiDeps, actor: Actor): Promise<void> => {
  const totals = await service.uploads.totals(actor).catch((error: unknown) => {
    log.debug({ error }, 'the uploads cannot be counted')
    return null
  })
  if (!totals) return
  metric(registry, 'gauge', 'madhava_uploads', 'Uploads that are kept.', [
    { labels: {}, value: totals.count },
  ])
  metric(registry, 'gauge', 'madhava_uploads_bytes', 'Their bytes.', [{ labels: {}, value: totals.bytes }])
}

export const metricsRoutes =
  (http: HttpMetrics) =>
  (deps: ApiDeps): Hono<ApiEnv> => {
    const readState = createStateReader(deps.service, error =>
      deps.log.warn({ error }, 'the state cannot be read'),
    )
    const processNames = createProcessNames()
    return new Hono<ApiEnv>().get('/metrics', describe(getMetrics), async c => {
      const actor = c.get('actor')
      const { state } = await readState(actor)
      const registry = new Registry()
      metric(registry, 'gauge', 'madhava_build_info', 'The version of the api process.', [
        { labels: { version: deps.version }, value: 1 },
      ])
      metric(registry, 'gauge', 'madhava_store_up', 'Whether the store answered; the rest needs it.', [
        { labels: {}, value: state ? 1 : 0 },
      ])
      if (state) ofTasks(registry, state)
      // the rest counts what everybody does
      const isWhole = seesAll(actor)
      if (state && isWhole) {
        ofQueue(registry, state)
        await ofUploads(registry, deps, actor)
        ofProcesses(registry, processNames, state.presences, deps.clock().getTime())
      }
      const text = [await registry.metrics(), isWhole ? await http.text() : '']
        .filter(part => part !== '')
        .join('\n')
      return c.body(text, 200, {
        'Content-Type': registry.contentType,
        'Content-Length': String(Buffer.byteLength(text)),
      })
    })
  }
