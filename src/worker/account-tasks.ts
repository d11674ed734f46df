// Removes the tasks of deleted accounts whose documents say so: those that wait are cancelled, those that run are asked
// to end, what has ended is removed with its blobs. The mark in the document outlives any kill, so another worker goes
// on where one has died. Each sweep does a bounded piece of the work.
import { ACCOUNTS, type Account } from '../core/account-forms.ts'
import { openCollection, orIfInvalid, type TypedDocument } from '../core/collection.ts'
import { isMadhavaError, toMadhavaError } from '../core/errors.ts'
import type { TaskStore } from '../core/store.ts'
import { isFinal, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'

export interface AccountTasks {
  /** The document of this account has changed. */
  noticed(id: string): void
  /** Changes of documents may have been missed. */
  missed(): void
  /** A bounded piece of the work. Returns how many tasks were removed. @throws STORE_UNAVAILABLE */
  sweep(): Promise<number>
}

interface AccountTasksDeps {
  store: Pick<TaskStore, 'documents' | 'list' | 'remove' | 'revoke'>
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info' | 'error'>
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /** Tasks that one sweep looks at. */
  tasksEach?: number
}

const TASKS_EACH = 200
const ACCOUNTS_EACH = 200
/** How often all accounts are read, in case the feed has lost a change. */
const READ_ALL_MS = 10 * 60_000
/** How long an account is left alone of which nothing can be removed now. */
const REST_MS = 5_000
/**
 * How long the mark stays after the last task, or half of it: a request that was let in before the account was deleted
 * may submit one later, and so may a worker that stood still.
 */
export const MARK_STAYS_MS = 60 * 60_000

/** Another worker may be faster, or somebody runs the task again: the next walk finds it as it is then. */
const MOVED_ON = ['ILLEGAL_MOVE', 'TASK_NOT_FOUND', 'TASK_NOT_ENDED', 'TASK_BUSY']

/** A walk through the tasks of one account. */
interface Walk {
  cursor: string | null
  /** Whether it has met a task. */
  found: boolean
  /** Whether it has changed one. */
  changed: boolean
  /** When it may go on, on the monotonic clock. */
  at: number
}

export const createAccountTasks = ({
  store,
  clock,
  log,
  elapsed = () => performance.now(),
  tasksEach = TASKS_EACH,
}: AccountTasksDeps): AccountTasks => {
  const accounts = openCollection(store.documents, 'accounts', ACCOUNTS)
  const changed = new Set<string>()
  /** By account; the one that was served last is the last. */
  const walks = new Map<string, Walk>()
  /** Where the reading of all accounts goes on; undefined: it is done. */
  let place: string | null | undefined = null
  let readAllAt = elapsed()

  const newWalk = (at: number): Walk => ({ cursor: null, found: false, changed: false, at })
  const consider = ({ name, data }: TypedDocument<Account>): void => {
    // a living account keeps its tasks, whatever has become of its document
    if (data.tasksLeftAt === undefined || data.deletedAt === null) walks.delete(name)
    else if (!walks.has(name)) walks.set(name, newWalk(elapsed()))
  }

  const readAccounts = async (): Promise<void> => {
    for (const id of [...changed].slice(0, ACCOUNTS_EACH)) {
      const found = await orIfInvalid(accounts.get(id), () => null)
      changed.delete(id)
      if (found) consider(found)
    }
    if (place === undefined && elapsed() - readAllAt >= READ_ALL_MS) place = null
    if (place === undefined) return
    const page = await accounts.list({ limit: ACCOUNTS_EACH, cursor: place })
    page.documents.forEach(consider)
    place = page.next ?? undefined
    if (place === undefined) readAllAt = elapsed()
  }

  /** Whether the task is gone; null: it runs, and was asked to end before. */
  const dispose = async ({ id, status, revokeRequestedAt }: TaskRecord): Promise<boolean | null> => {
    if (!isFinal(status)) {
      if (revokeRequestedAt !== null) return null
      const { outcome } = await store.revoke(id, clock().toISOString())
      if (outcome === 'requested') return false
    }
    await store.remove(id)
    return true
  }

  /** The mark is gone, or says that tasks were there a moment ago. Another worker may do the same. */
  const mark = async (id: string, walk: Walk): Promise<void> => {
    const now = clock()
    const found = await orIfInvalid(accounts.get(id), () => null)
    const leftAt = found?.data.tasksLeftAt
    if (!found || leftAt === undefined || found.data.deletedAt === null) return void walks.delete(id)
    const ageMs = now.getTime() - Date.parse(leftAt)
    if (walk.found ? ageMs < MARK_STAYS_MS / 2 : ageMs < MARK_STAYS_MS) return
    const { tasksLeftAt: _, ...unmarked } = found.data
    const data = walk.found ? { ...found.data, tasksLeftAt: now.toISOString() } : (unmarked as Account)
    try {
      await accounts.put(id, { data, expiresAt: found.expiresAt }, found.rev)
    } catch (error) {
      if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return
      throw error
    }
    if (walk.found) return
    walks.delete(id)
    log.info({ account: id }, 'no task of a deleted account is left')
  }

  /** The next page of a walk. Returns how many tasks it looked at, and how many are gone. */
  const step = async (
    id: string,
    walk: Walk,
    limit: number,
  ): Promise<{ looked: number; removed: number }> => {
    const { tasks, next } = await store.list({ owner: id }, { limit, cursor: walk.cursor })
    let removed = 0
    for (const task of tasks)
      try {
        const gone = await dispose(task)
        walk.changed ||= gone !== null
        if (gone) removed += 1
      } catch (error) {
        const { code } = toMadhavaError(error)
        if (code === 'STORE_UNAVAILABLE') throw error
        if (!MOVED_ON.includes(code))
          log.error({ error, id: task.id }, 'a task of a deleted account could not be removed')
      }
    walk.found ||= tasks.length > 0
    walk.cursor = next
    walks.delete(id)
    walks.set(id, walk)
    if (next === null) {
      await mark(id, walk)
      const at = elapsed() + (walk.changed ? 0 : REST_MS)
      if (walks.has(id)) walks.set(id, newWalk(at))
    }
    return { looked: tasks.length, removed }
  }

  return {
    noticed: id => void changed.add(id),
    missed() {
      place = null
    },
    async sweep() {
      await readAccounts()
      let [left, removed] = [tasksEach, 0]
      for (const [id, walk] of [...walks]) {
        if (left <= 0) break
        if (walk.at > elapsed()) continue
        const done = await step(id, walk, left)
        left -= done.looked
        removed += done.removed
      }
      return removed
    },
  }
}
