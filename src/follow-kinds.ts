// This process's part in reloads of the kinds, put together: what it answers, what it tells the log, and how it asks for
// one itself.
import type { AuditRecorder } from './core/audit-recorder.ts'
import type { KindSets } from './core/kind-sets.ts'
import { createReloadAsker } from './core/reload/ask.ts'
import { followReloads, type ReloadFollower } from './core/reload/follower.ts'
import type { Trials } from './core/reload/trials.ts'
import { createUnattendedReload } from './core/reload/unattended.ts'
import type { TaskStore } from './core/store.ts'
import { newTaskId } from './core/task.ts'
import type { Log } from './platform/log.ts'

/** What all have agreed on last; undefined: nobody knows now. To be asked before the folders are read. */
export const usedBefore = (trials: Trials): Promise<string | null | undefined> =>
  trials.current().then(
    ({ trial }) => trial?.used ?? null,
    () => undefined,
  )

export interface FollowedKinds extends ReloadFollower {
  /** @see createReloadAsker */
  ask: ReturnType<typeof createReloadAsker>
  /** The same for nobody who waits for it: the log tells what became of it. Never throws. */
  reload(): void
}

export const followKinds = (deps: {
  store: Pick<TaskStore, 'instance' | 'presences'>
  trials: Trials
  kindSets: KindSets
  hasFolder: boolean
  /** As `usedBefore` said. */
  before: string | null | undefined
  audit: AuditRecorder
  clock: () => Date
  log: Log
}): FollowedKinds => {
  const { store, trials, audit, log, clock } = deps
  const { instance } = store
  const follower = followReloads({
    ...{ ...deps, instance },
    onUsed: told => log.info(told, 'the kinds were read again'),
    onLeftBehind: reason =>
      log.error({ reason }, 'kinds that all have agreed on cannot be used here; the old ones go on'),
    onUnanswered: error =>
      log.warn({ error }, 'whether the kinds can be used could not be said; trying again'),
  })
  const ask = createReloadAsker({
    ...{ trials, instance, clock, newId: newTaskId, onWritten: follower.look },
    presences: () => store.presences(),
  })
  const reload = createUnattendedReload({
    ask,
    audit,
    onReloaded: ({ added, changed, removed, processes }) =>
      log.info(
        { added, changed, removed, processes: processes.length },
        'all processes use the kinds as they are now',
      ),
    onFailed: error => log.error({ error }, 'the kinds were not read again; the old ones go on'),
  })
  return { ...follower, ask, reload }
}
