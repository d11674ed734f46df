// A process that takes part in reloads over a real store. Its kinds are the files of a folder: what is in a file is its
// code; `!reason` cannot be used, and `wait` takes until the file is changed. Argument: JSON with `place`, `role`,
// `folder` and `waitMs`. Each line of its input has it ask for a reload.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { createKindSets, type KindSet } from '../../src/core/kind-sets.ts'
import { createReloadAsker } from '../../src/core/reload/ask.ts'
import { followReloads } from '../../src/core/reload/follower.ts'
import { openTrials } from '../../src/core/reload/trials.ts'
import { newTaskId } from '../../src/core/task.ts'
import { setOf } from '../core/reload/bench.ts'
import { openPlace, type StorePlace } from './store-place.ts'
import { tell } from './tell.ts'

export interface ReloadInput {
  place: StorePlace
  role: string
  folder: string
  waitMs: number
}
export type ReloadLine =
  | { ready: string }
  | { reading: true }
  | { used: string; codes: Record<string, string> }
  | { outcome: { changed: string[]; roles: string[] } }
  | { refused: string; problems: string[] }

const say = (line: ReloadLine): void => tell(line)

const input = JSON.parse(process.argv[2] ?? '') as ReloadInput
const { place, role, folder, waitMs } = input
const clock = () => new Date()

const codesIn = async (): Promise<Record<string, string>> => {
  const names = await readdir(folder)
  const codes = await Promise.all(
    names.map(async name => {
      const text = () => readFile(path.join(folder, name), 'utf8')
      for (;;) {
        const code = await text()
        if (code !== 'wait') return [name, code] as const
        say({ reading: true })
        while ((await text()) === 'wait') await sleep(20)
      }
    }),
  )
  return Object.fromEntries(codes)
}
const read = async (): Promise<KindSet> => setOf(await codesIn())

const store = await openPlace(place)
const trials = openTrials(store.documents, clock)
const before = (await trials.current()).trial?.used ?? null
const kindSets = createKindSets(await read(), { read, release: async () => {} })
const { instance } = store
const follower = followReloads({
  ...{ trials, kindSets, instance, hasFolder: true, before, clock },
  onUsed: ({ id }) => say({ used: id, codes: Object.fromEntries(kindSets.current().codes) }),
  onLeftBehind: reason => say({ refused: 'LEFT_BEHIND', problems: [reason] }),
  onUnanswered: () => {},
})
const ask = createReloadAsker({
  ...{ trials, instance, clock, waitMs, newId: newTaskId, onWritten: follower.look },
  presences: () => store.presences(),
})
await store.announce({
  role,
  details: () => ({
    ...{ address: null, slots: 0, running: [], counters: {}, rssBytes: 0, cpu: 0, troubles: {} },
    bundle: 'one',
  }),
})
say({ ready: instance })

for await (const _line of createInterface({ input: process.stdin }))
  void ask().then(
    ({ changed, processes }) =>
      say({ outcome: { changed, roles: processes.filter(one => one.isUsed).map(one => one.role) } }),
    ({ code, detail }: { code: string; detail: { problems?: { path: string; problem: string }[] } | null }) =>
      say({
        refused: code,
        problems: (detail?.problems ?? []).map(({ path: at, problem }) => `${at}: ${problem}`),
      }),
  )
await follower.close()
await store.close()
