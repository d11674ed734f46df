// The audit in tests that are about something else, and entries with ids in the order in which they are made.
import { type AuditEntry, DONE } from '../../src/core/audit.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { newTaskId } from '../../src/core/task.ts'

/** Writes nothing. */
export const NO_AUDIT = createAuditRecorder({ trail: null, clock: () => new Date(), onFailed: () => {} })

export const entryOf = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  id: newTaskId(),
  at: new Date().toISOString(),
  actor: { account: 'a-1', name: 'ann' },
  via: 'rest',
  action: 'task.submit',
  target: null,
  outcome: DONE,
  address: '192.0.2.7',
  ...change,
})
