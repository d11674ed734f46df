// Opens what the overview is made of: the machine's figures, the readiness probe, the recorder of figures and the book
// of failures; closes them in order.
import path from 'node:path'
import type { TaskQueue } from '../../core/queue.ts'
import { createReadiness, type Readiness } from '../../core/readiness.ts'
import type { Service } from '../../core/service.ts'
import type { SeenPresence, TaskStore } from '../../core/store.ts'
import { createHostSampler, type HostSampler } from '../../platform/host.ts'
import type { Log } from '../../platform/log.ts'
import { lastWords } from '../../platform/log-files.ts'
import { type Figures, openFigures } from '../figures/recorder.ts'
import type { Processes } from '../processes/processes.ts'
import { createFailureBook } from './failure-book.ts'
import { createKindFigures, type KindFigures } from './kind-figures.ts'
import { createOverview, type Overview } from './overview.ts'

export interface OverviewOptions {
  dataDir: string
  /** The roles of the bundle. */
  roles: readonly string[]
}

export interface OverviewParts {
  service: Service
  store: TaskStore
  queue: TaskQueue
  clock: () => Date
  /** Whether a process is of this bundle. */
  isOwn: (presence: SeenPresence) => boolean
  processes: Pick<Processes, 'list'>
}

export interface OpenedOverview {
  host: HostSampler
  readiness: () => Promise<Readiness>
  figures: Figures
  overview: () => Promise<Overview>
  kindFigures: () => Promise<KindFigures>
  /** Idempotent. */
  close(): Promise<void>
}

/** Between two samples of the machine: those of the recorder, so that each covers all of its time. */
const HOST_EVERY_MS = 10_000

export const openOverview = async (
  { dataDir, roles }: OverviewOptions,
  { service, store, queue, clock, isOwn, processes }: OverviewParts,
  log: Log,
): Promise<OpenedOverview> => {
  const host = createHostSampler({ dataDir, everyMs: HOST_EVERY_MS, log })
  const probe = createReadiness({
    ...{ store, queue, roles, clock, isOwn },
    lastWords: (role, sinceMs) => lastWords(path.join(dataDir, 'logs'), role, sinceMs),
  })
  const readiness = () => probe.check()
  const figures = await openFigures({ dataDir, service, host, isOwn, log, clock: () => clock().getTime() })
  const failures = createFailureBook({ store, clock: () => clock().getTime() })
  return {
    host,
    readiness,
    figures,
    overview: createOverview({
      ...{ service, store, readiness, processes, host, figures, failures, isOwn, log, clock },
    }),
    kindFigures: createKindFigures({ service, store, failures, clock: () => clock().getTime() }),
    async close() {
      await figures.close()
      probe.close()
      host.close()
    },
  }
}
