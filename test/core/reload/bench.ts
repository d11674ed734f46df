// Processes that share a store and read folders of kinds, all of it made up: what a folder holds, how long a reading
// takes and who is alive is set by the test.
import type { TestContext } from 'node:test'
import { z } from 'zod'
import { defineKind, loadKind } from '../../../src/core/kind.ts'
import { createKindSets, type KindSet } from '../../../src/core/kind-sets.ts'
import { createKinds } from '../../../src/core/kinds.ts'
import { createReloadAsker } from '../../../src/core/reload/ask.ts'
import { followReloads } from '../../../src/core/reload/follower.ts'
import { openTrials } from '../../../src/core/reload/trials.ts'
import type { SeenPresence } from '../../../src/core/store.ts'
import { newTaskId } from '../../../src/core/task.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { undo } from '../../support/undo.ts'

/** The code of each kind by its name; `!` at the beginning: the file cannot be used, for the reason that follows. */
export type Folder = Record<string, string>

export const setOf = (folder: Folder): KindSet => {
  const sound = Object.entries(folder).filter(([, code]) => !code.startsWith('!'))
  const troubles = Object.entries(folder).filter(([, code]) => code.startsWith('!'))
  const kind = defineKind({
    summary: 'Nothing',
    params: z.null(),
    result: z.null(),
    example: null,
    run: () => null,
  })
  return {
    kinds: createKinds(
      sound.map(([name]) => loadKind(name, kind, `${name}.ts`)),
      troubles.map(([name, reason]) => ({ name, file: `${name}.ts`, reason: reason.slice(1) })),
    ),
    builtIn: new Set(),
    files: new Map(sound.map(([name]) => [name, `/kinds/${name}.ts`])),
    codes: new Map(sound),
  }
}

export interface ProcessOptions {
  role?: string
  host?: string
  bundle?: string
  hasFolder?: boolean
  /** False: it runs, and the others do not see it yet. */
  isAnnounced?: boolean
  before?: string | null | undefined
}

export const openBench = (t: TestContext, { waitMs = 60_000 }: { waitMs?: number } = {}) => {
  let passed = 0
  const clock = () => new Date(Date.now() + passed)
  const store = createMemoryStore({ clock })
  undo(t, () => store.close())
  const presences = new Map<string, SeenPresence>()
  const folder: { now: Folder } = { now: { a: '1', b: '1' } }
  let count = 0

  const open = (options: ProcessOptions = {}) => {
    const { role = 'worker', host = 'here', bundle = 'one', hasFolder = true, isAnnounced = true } = options
    count += 1
    const instance = `p${count}`
    const announce = () =>
      presences.set(instance, {
        ...{ instance, role, host, pid: 100 + count, alive: true },
        ...{ startedAt: clock().toISOString(), beatAt: clock().toISOString() },
        details: {
          ...{ address: null, slots: 0, running: [], counters: {}, rssBytes: 0, cpu: 0, troubles: {} },
          bundle,
        },
      })
    if (isAnnounced) announce()
    const trials = openTrials(store.documents, clock)
    const dropped: KindSet[] = []
    /** How this process reads; a test may put something else in its place. */
    const hand = { read: async (): Promise<KindSet> => setOf(folder.now), isAway: false }
    const sets = createKindSets(setOf(folder.now), { read: () => hand.read(), release: async () => {} })
    const told: string[] = []
    const follower = followReloads({
      trials: {
        ...trials,
        // frozen, or cut off: it sees nothing
        current: () => (hand.isAway ? Promise.reject(new Error('away')) : trials.current()),
      },
      kindSets: {
        ...sets,
        read: sets.read,
        use: sets.use,
        current: sets.current,
        drop: set => void dropped.push(set),
      },
      instance,
      hasFolder,
      before: 'before' in options ? options.before : null,
      clock,
      onUsed: ({ id }) => told.push(`used ${id}`),
      onLeftBehind: reason => told.push(`left behind: ${reason}`),
      onUnanswered: () => told.push('unanswered'),
      pace: { idle: 5, trying: 5 },
    })
    undo(t, () => follower.close())
    const presentAll = async () => [...presences.values()]
    const deps = { trials, presences: presentAll, instance, clock, newId: newTaskId, waitMs }
    return {
      instance,
      hand,
      told,
      dropped,
      follower,
      announce,
      /** As killed with -9: the others see that it is gone. */
      async die() {
        const mine = presences.get(instance)
        if (mine) presences.set(instance, { ...mine, alive: false })
        await follower.close()
      },
      code: (name: string) => sets.current().codes.get(name) ?? null,
      ask: createReloadAsker({ ...deps, onWritten: follower.look }),
      trials,
    }
  }
  return {
    folder,
    open,
    clock,
    documents: store.documents,
    pass: (ms: number) => {
      passed += ms
    },
  }
}
