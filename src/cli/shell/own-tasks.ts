// Tells when one of one's own tasks has ended, over a server that is away for a while.
import type { Client, TaskView, WatchEvent } from '../../client/client.ts'
import { isFinal } from '../../client/client.ts'
import { ApiError, isTemporary } from '../../client/errors.ts'
import { pause } from '../../client/patience.ts'
import { awayText, BACK, lasting } from '../lasting.ts'

export interface OwnTasksOptions {
  /** One that tries once. */
  client: Client
  signal: AbortSignal
  onEnd(task: TaskView): void
  tell(text: string): void
}

const AGAIN_MS = 2_000
const REMEMBERED = 2_000

/**
 * Those of the account, or, where nobody has logged in, those that nobody owns. Resolves when the signal fires, or when
 * the server lets nobody watch.
 */
export const followOwnTasks = async ({ client, signal, onEnd, tell }: OwnTasksOptions): Promise<void> => {
  const account = async (): Promise<string | null> => {
    for (let isTold = false; ; isTold = true)
      try {
        const me = await client.me({ signal })
        if (isTold) tell(BACK)
        return me.account?.id ?? null
      } catch (error) {
        if (signal.aborted || !isTemporary(error)) throw error
        if (!isTold) tell(awayText(error))
        await pause(AGAIN_MS, signal)
      }
  }
  try {
    const owner = await account()
    /** What was told, by id, so that a later change of an ended task is not told again. */
    const told = new Map<string, string | null>()
    const begun = new Date().toISOString()
    let newest = begun
    let inSnapshot = false
    const events = lasting<WatchEvent, void>({
      open: since =>
        client.watchAll(owner === null ? {} : { owner }, {
          signal,
          ...(since === undefined ? {} : { since }),
        }),
      sinceOf: ({ cursor }) => (cursor === '' ? undefined : cursor),
      tell,
      signal,
      patienceMs: null,
      isPersistent: true,
    })
    for await (const event of events) {
      if (event.type === 'snapshot') inSnapshot = true
      else if (event.type === 'live') inSnapshot = false
      if (event.type !== 'task') continue
      const { task } = event
      const { id, status, finishedAt } = task
      if (owner === null && task.owner !== null) continue
      // a snapshot has tasks that ended long ago
      const isNew = !inSnapshot || (finishedAt ?? '') > newest
      if (!inSnapshot && task.updatedAt > newest) newest = task.updatedAt
      if (!isFinal(status)) {
        told.delete(id)
        continue
      }
      if (!isNew || told.get(id) === finishedAt) continue
      told.set(id, finishedAt)
      if (told.size > REMEMBERED) told.delete(told.keys().next().value ?? '')
      onEnd(task)
    }
  } catch (error) {
    // nobody may watch without a login: commands say so
    if (!signal.aborted && !(error instanceof ApiError)) throw error
  }
}
