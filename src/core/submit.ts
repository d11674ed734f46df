// Submitting: validates, stores, announces. One task, many at once, or a child of a running task.
import { isMadhavaError, MadhavaError } from './errors.ts'
import type { NamedKind } from './kind.ts'
import { parseParams } from './kind-params.ts'
import type { Kinds } from './kinds.ts'
import { firstRecord } from './moves.ts'
import { checkForPeople } from './people.ts'
import { formatProblems } from './problems.ts'
import type { Admitted, QuotaState, Quotas, Submitter } from './quotas.ts'
import type { TaskStore } from './store.ts'
import {
  fingerprintOf,
  keyOfPlace,
  type ParsedSubmission,
  parseChildKey,
  parseKey,
  parseSubmission,
  SUBMIT_MANY_LIMIT,
} from './submission.ts'
import { applyLimits, type SubmitLimits } from './submit-limits.ts'
import {
  DEFAULT_MAX_ATTEMPTS,
  type Json,
  limitsSchema,
  newTaskId,
  PRIORITY,
  retryPolicySchema,
  type TaskRecord,
} from './task.ts'
import { turns } from './turns.ts'
import { findUploads, idsOf } from './upload-params.ts'
import type { UploadUses } from './upload-uses.ts'
import type { UploadChecks } from './uploads.ts'
import type { WaitingLimit } from './waiting-limit.ts'

export interface Submitted {
  task: TaskRecord
  /** False if the key had been used for this task before. */
  created: boolean
  /** What is left of the quotas that this call was counted in; empty where there are none, or nothing was created. */
  quotas: QuotaState[]
}

/** A checked submission: the record without its id and times, and its meaning. */
interface SubmitPlan {
  wanted: ParsedSubmission
  params: Json
  /** The uploads that the params name. */
  uploads: string[]
  /** The priority and limits within what the operator allows. */
  allowed: ReturnType<typeof applyLimits>
  isForPeople: boolean
}

export interface SubmitDeps {
  store: TaskStore
  kinds: Kinds
  now: () => string
  limit: WaitingLimit
  quotas: Quotas
  allowances: SubmitLimits
  uploads: UploadChecks
  uses: Pick<UploadUses, 'hold'>
  announceIfDue: (task: TaskRecord) => void
  onCheckThrew: (kind: string, error: unknown) => void
}

type Origin = Pick<TaskRecord, 'owner' | 'parentId' | 'idempotencyKey' | 'submittedBy'>

/** Tasks created at a time: the store shares one sync among them. */
const AT_A_TIME = 100

/** The problems of several submissions as one error: the code of the first, and each problem under its place. */
const refuseMany = (
  failures: readonly { place: number; error: MadhavaError }[],
  of: number,
): MadhavaError => {
  const problems = failures.flatMap(({ place, error }) => {
    const own = (error.detail as { problems?: { path: string; problem: string }[] } | null)?.problems
    return own
      ? own.map(({ path, problem }) => ({ path: path === '' ? String(place) : `${place}.${path}`, problem }))
      : [{ path: `${place}.kind`, problem: error.message }]
  })
  const [first] = failures
  return new MadhavaError(
    first?.error.code ?? 'BAD_REQUEST',
    `${failures.length} of ${of} tasks cannot be accepted, so none was: ${first?.place}: ${first?.error.message}`,
    { detail: { problems: problems.slice(0, 100) } },
  )
}

/**
 * What people do belongs to nobody, so that everybody may do it, and waits for no worker. The key stays that of who
 * submits: another's use of the same key is another task. It is not shown, since others read the record.
 */
const originForPeople = (by: string | null, { parentId, idempotencyKey }: Origin): Origin => ({
  owner: null,
  parentId,
  idempotencyKey:
    idempotencyKey === null || by === null ? idempotencyKey : fingerprintOf([by, idempotencyKey]),
})

export const createSubmit = (deps: SubmitDeps) => {
  const { store, kinds, now, limit, quotas, allowances, uploads, uses, announceIfDue, onCheckThrew } = deps
  const plan = async (owner: string | null, submission: unknown): Promise<SubmitPlan> => {
    const asked = parseSubmission(submission)
    const kind = kinds.get(asked.kind)
    const isForPeople = kinds.isForPeople(kind.name)
    const wanted = isForPeople ? { ...asked, ...checkForPeople(kind.name, asked) } : asked
    const asksPriority = (submission as { priority?: unknown }).priority !== undefined
    const allowed = isForPeople
      ? { priority: PRIORITY.default, limits: limitsSchema.parse({}) }
      : applyLimits(allowances, { owner, wanted, asksPriority, ofKind: kind.limits })
    try {
      const params = await parseParams(kind, wanted.params ?? {})
      const uploads = await checkUploads(isForPeople ? null : owner, kind, params)
      return { wanted, params, uploads, allowed, isForPeople }
    } catch (error) {
      if (isMadhavaError(error) && error.cause !== undefined) onCheckThrew(kind.name, error.cause)
      throw error
    }
  }
  /** The uploads that the params name. @throws PARAMS_INVALID unless the owner's task may name all of them */
  const checkUploads = async (owner: string | null, kind: NamedKind, params: Json): Promise<string[]> => {
    const named = findUploads(params, kind.schemas.params)
    if (named.length === 0) return []
    const problems = await uploads.flaws(owner, named)
    if (problems.length === 0) return idsOf(named)
    throw new MadhavaError(
      'PARAMS_INVALID',
      `The params do not fit the kind ${kind.name}: ${formatProblems(problems)}`,
      { detail: { problems } },
    )
  }
  const meaning = ({ wanted, params }: SubmitPlan) => ({ ...wanted, params })

  const create = async (
    { wanted, params, uploads: named, allowed, isForPeople }: SubmitPlan,
    from: Origin,
    fingerprint: string,
    admit?: () => Promise<void>,
  ): Promise<Omit<Submitted, 'quotas'>> => {
    const kind = kinds.get(wanted.kind)
    const retry = wanted.retry === undefined ? (kind.retry ?? null) : wanted.retry
    const record = firstRecord({
      ...wanted,
      id: newTaskId(),
      kind: kind.name,
      params,
      maxAttempts: wanted.maxAttempts ?? kind.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      createdAt: now(),
      retry: retry && retryPolicySchema.parse(retry),
      ...allowed,
      ...(isForPeople ? { doneBy: 'people', ...originForPeople(from.owner, from) } : from),
    })
    const held = named.length === 0 ? null : await uses.hold(record.id, record.owner, named)
    try {
      const { task, created } = await store.create(record, fingerprint, admit)
      if (created) announceIfDue(task)
      await (created ? held?.made() : held?.undo())
      return { task, created }
    } catch (error) {
      // it may be there all the same: the sweep looks before it removes anything
      if (!isMadhavaError(error, 'STORE_UNAVAILABLE')) await held?.undo()
      throw error
    }
  }

  /** What comes of a task that nobody has submitted before: it is let in by all limits, or refused. */
  const letIn = (by: Submitter, plans: readonly SubmitPlan[]) => {
    let admitted: Admitted | null = null
    const waiting = plans.filter(({ isForPeople }) => !isForPeople).length
    return {
      async admit() {
        await limit.take(waiting)
        admitted = await quotas.admit(by, plans.length, waiting)
      },
      left: (): QuotaState[] => admitted?.quotas ?? [],
      done: (): void => admitted?.done(),
    }
  }
  const originOf = (by: Submitter, idempotencyKey: string | null): Origin => {
    const submittedBy = quotas.submittedBy(by)
    return { owner: by.account, parentId: null, idempotencyKey, ...(submittedBy ? { submittedBy } : {}) }
  }

  return {
    one: async (by: Submitter, submission: unknown, key: string | undefined): Promise<Submitted> => {
      const planned = await plan(by.account, submission)
      const from = originOf(by, key === undefined ? null : parseKey(key))
      const entry = letIn(by, [planned])
      try {
        const made = await create(planned, from, fingerprintOf(meaning(planned)), entry.admit)
        return { ...made, quotas: entry.left() }
      } finally {
        entry.done()
      }
    },

    /** All or none, if any submission is wrong. The key is for the whole list. */
    many: async (
      by: Submitter,
      submissions: readonly unknown[],
      key: string | undefined,
    ): Promise<Submitted[]> => {
      const count = submissions.length
      if (count === 0 || count > SUBMIT_MANY_LIMIT)
        throw new MadhavaError('BAD_REQUEST', `One request submits 1 to ${SUBMIT_MANY_LIMIT} tasks`)
      const known = key === undefined ? null : parseKey(key)
      const plans: SubmitPlan[] = []
      const failures: { place: number; error: MadhavaError }[] = []
      for (const [place, submission] of submissions.entries()) {
        try {
          plans.push(await plan(by.account, submission))
        } catch (error) {
          if (!isMadhavaError(error)) throw error
          failures.push({ place, error })
        }
        const pause = turns.spend(1)
        if (pause) await pause
      }
      if (failures.length > 0) throw refuseMany(failures, count)
      // one fingerprint for all, so that the first task of a different list conflicts with this one's
      const fingerprint = fingerprintOf(plans.map(meaning))
      const make = (planned: SubmitPlan, place: number, admit?: () => Promise<void>) => {
        const idempotencyKey = known === null ? null : keyOfPlace(known, place)
        return create(planned, originOf(by, idempotencyKey), fingerprint, admit)
      }
      const [first, ...others] = plans as [SubmitPlan, ...SubmitPlan[]]
      const entry = letIn(by, plans)
      // where the key answers the first task, what is missing of the others is new: the list broke off, or somebody has
      // removed them
      let again: QuotaState[] = []
      const makeMissing = async (planned: SubmitPlan, place: number) => {
        const own = letIn(by, [planned])
        try {
          const task = await make(planned, place, own.admit)
          if (task.created) again = own.left()
          return task
        } finally {
          own.done()
        }
      }
      try {
        // there is room for all or none
        const made = [await make(first, 0, entry.admit)]
        const makeOther = made[0]?.created ? make : makeMissing
        for (let at = 0; at < others.length; at += AT_A_TIME)
          made.push(
            ...(await Promise.all(
              others.slice(at, at + AT_A_TIME).map((planned, place) => makeOther(planned, 1 + at + place)),
            )),
          )
        const left = made[0]?.created ? entry.left() : again
        return made.map(each => ({ ...each, quotas: left }))
      } finally {
        entry.done()
      }
    },

    /** Neither the waiting limit nor quotas apply: running tasks may finish. */
    child: async (parent: TaskRecord, submission: unknown, key: string | null): Promise<TaskRecord> => {
      const { owner, id: parentId } = parent
      const planned = await plan(owner, submission)
      const idempotencyKey = key === null ? null : `${parentId}/${parseChildKey(key)}`
      const from = { owner, parentId, idempotencyKey }
      return (await create(planned, from, fingerprintOf(meaning(planned)))).task
    },
  }
}
