// A child process that adds to the audit until it is killed: entries at once, entries soon, and what it begins and ends.
import { DONE } from '../../src/core/audit.ts'
import { entryOf } from './audit-entries.ts'
import type { RoleContext } from './store-roles.ts'

export interface AuditLine {
  /** Was begun; it may end or not. */
  begun?: string
  /** Was acknowledged, so it is there. */
  added?: string
}

export const auditRole = async ({ store, tell, signal }: RoleContext): Promise<void> => {
  const tellNow = (line: AuditLine): void => tell(line)
  for (let n = 0; !signal.aborted; n += 1) {
    const entry = entryOf({ target: `t-${n} ${'x'.repeat((n * 37) % 300)}` })
    if (n % 3 === 0) {
      const { outcome: _, ...draft } = { ...entry, action: 'account.change' as const }
      await store.audit.begin(draft)
      tellNow({ begun: entry.id })
      await store.audit.end(entry.id, { ...draft, outcome: DONE })
    } else await store.audit.add([entry], { soon: n % 3 === 1 })
    tellNow({ added: entry.id })
  }
}
