// The audit in memory. Every call acts in one synchronous step.
import {
  AUDIT_LOOK_AT,
  type AuditEntry,
  type AuditTrail,
  auditKey,
  decodeAuditCursor,
  encodeAuditCursor,
  fitsAudit,
  UNKNOWN,
} from '../../core/audit.ts'

export interface StoredAudit {
  entries: Map<string, AuditEntry>
  begun: Map<string, { entry: AuditEntry; isAlive: () => boolean }>
}

interface AuditDeps {
  stored: StoredAudit
  /** Whether this process lives. */
  isAlive: () => boolean
  /** @throws when the store is closed */
  open: () => void
}

export const createAudit = ({ stored: { entries, begun }, isAlive, open }: AuditDeps): AuditTrail => {
  const put = (entry: AuditEntry): void => {
    entries.set(auditKey(entry), structuredClone(entry))
  }
  return {
    async begin(entry) {
      open()
      begun.set(entry.id, { entry: structuredClone({ ...entry, outcome: UNKNOWN }), isAlive })
    },
    async end(id, entry) {
      open()
      if (entry) put(entry)
      begun.delete(id)
    },
    async add(added) {
      open()
      for (const entry of added) put(entry)
    },
    async page(filter, { limit, cursor }) {
      open()
      const before = decodeAuditCursor(cursor)
      const keys = [...entries.keys()].filter(key => before === null || key < before).sort()
      const found: AuditEntry[] = []
      let last: AuditEntry | null = null
      for (let looked = 0; looked < AUDIT_LOOK_AT && found.length < limit; looked += 1) {
        const entry = entries.get(keys.pop() ?? '')
        if (!entry) return { entries: found, next: null }
        last = entry
        if (fitsAudit(entry, filter)) found.push(structuredClone(entry))
      }
      return { entries: found, next: keys.length > 0 && last ? encodeAuditCursor(last) : null }
    },
    async settle() {
      open()
      const left = [...begun.values()].filter(one => !one.isAlive())
      for (const { entry } of left) {
        put(entry)
        begun.delete(entry.id)
      }
      return left.length
    },
    async removeBefore(at) {
      open()
      for (const key of entries.keys()) if (key < at) entries.delete(key)
    },
  }
}
