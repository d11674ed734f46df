// Writes the audit: what is about to be done, what has become of it, and which refusals stand there. It decides nothing
// about rights, and knows neither tasks nor accounts.
import type { Actor } from './actor.ts'
import { type AuditAction, type AuditEntry, type AuditTrail, type AuditVia, DONE } from './audit.ts'
import { AUDIT_BOUNDS } from './audit-form.ts'
import { cutText } from './cut-text.ts'
import { ERRORS, type ErrorCode, toMadhavaError } from './errors.ts'
import { newTaskId as newId } from './task.ts'

/** Who does something, and from where. */
export type AuditedBy = Pick<AuditEntry, 'actor' | 'via' | 'address'>

export const auditedBy = ({ account, name, via, address }: Actor): AuditedBy => ({
  actor: account === null ? null : { account, name: name ?? account },
  via,
  address,
})

/** What the answer of an action adds to its entry; null: nothing was changed, so there is none. */
export type AuditOutcome = { target?: string | null; outcome?: string } | null

export interface AuditedDeed<T> {
  action: AuditAction
  /** As far as it is known before. */
  target: string | null
  told?: (answer: T) => AuditOutcome
}

export interface AuditRecorder {
  /**
   * Does something that is in the audit, whatever becomes of it. What cannot be begun there is not done.
   * @throws STORE_FULL, STORE_UNAVAILABLE before anything is done; what `work` throws
   */
  run<T>(by: AuditedBy, deed: AuditedDeed<T>, work: () => Promise<T>): Promise<T>
  /** Writes of what is done already, an entry for each target. Never rejects. */
  note(
    by: AuditedBy,
    action: AuditAction,
    targets: readonly (string | null)[],
    options?: { outcome?: string; soon?: boolean },
  ): Promise<void>
  /** The same of what was refused, where a refusal is told. Never rejects. */
  noteRefusal(by: AuditedBy, action: AuditAction, target: string | null, error: unknown): Promise<void>
}

export interface RecorderDeps {
  /** Null: there is no audit. */
  trail: Pick<AuditTrail, 'begin' | 'end' | 'add'> | null
  clock: () => Date
  /** Called when what was done could not be written. */
  onFailed: (error: unknown, what: { action: AuditAction; target: string | null; outcome: string }) => void
}

/** Malformed, or too often. Whoever sends it: it is refused, and says nothing of what anybody may do. */
const NOT_TOLD = [400, 405, 408, 413, 414, 415, 422, 426, 429, 431]
const FAULTS_FROM = 500

/**
 * Whether a refusal stands in the audit. Of somebody without an account none does, else anybody could fill it; but a
 * fault may have come after half of the action.
 */
const isTold = (code: ErrorCode, { actor }: AuditedBy, hasBegun: boolean): boolean => {
  const { status } = ERRORS[code]
  if (status >= FAULTS_FROM && hasBegun) return true
  return actor !== null && !NOT_TOLD.includes(status)
}

const ID = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{16}|operator|viewer)$/

/** An id that somebody has sent, in the form in which it is kept; null for anything else: it may be a secret. */
export const auditedId = (given: string): string | null => {
  const id = given.toLowerCase()
  return ID.test(id) ? id : null
}

const cut = (text: string | null, units: number): string | null => text && cutText(text, units)

export const createAuditRecorder = ({ trail, clock, onFailed }: RecorderDeps): AuditRecorder => {
  const now = (): string => clock().toISOString()

  const draftOf = ({ actor, via, address }: AuditedBy, action: AuditAction, target: string | null) => ({
    id: newId(),
    at: now(),
    actor: actor && {
      account: cutText(actor.account, AUDIT_BOUNDS.name),
      name: cutText(actor.name, AUDIT_BOUNDS.name),
    },
    via: via satisfies AuditVia,
    action,
    target: cut(target, AUDIT_BOUNDS.target),
    address: cut(address, AUDIT_BOUNDS.address),
  })
  const tried = async (entry: Omit<AuditEntry, 'id'> | null, write: () => Promise<void>): Promise<void> => {
    try {
      await write()
    } catch (error) {
      if (entry) onFailed(error, { action: entry.action, target: entry.target, outcome: entry.outcome })
    }
  }

  const note: AuditRecorder['note'] = async (by, action, targets, { outcome = DONE, soon = false } = {}) => {
    if (!trail) return
    const entries = targets.map(target => ({ ...draftOf(by, action, target), outcome }))
    await tried(entries[0] ?? null, () => trail.add(entries, { soon }))
  }

  return {
    async run(by, { action, target, told = () => ({}) }, work) {
      if (!trail) return work()
      const draft = draftOf(by, action, target)
      await trail.begin(draft)
      const end = async (outcome: AuditOutcome): Promise<void> => {
        const entry = outcome && {
          ...draft,
          at: now(),
          target: outcome.target === undefined ? draft.target : cut(outcome.target, AUDIT_BOUNDS.target),
          outcome: outcome.outcome ?? DONE,
        }
        await tried(entry, () => trail.end(draft.id, entry))
      }
      const answer = await work().catch(async (error: unknown) => {
        const { code } = toMadhavaError(error)
        await end(isTold(code, by, true) ? { outcome: code } : null)
        throw error
      })
      await end(told(answer))
      return answer
    },

    note,

    async noteRefusal(by, action, target, error) {
      const { code } = toMadhavaError(error)
      if (isTold(code, by, false)) await note(by, action, [target], { outcome: code })
    },
  }
}
