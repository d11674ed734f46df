// The form of an entry of the audit as JSON on one line: how it is written, and how one is read that may be torn, or of
// another program. Pure.
import { z } from 'zod'
import { AUDIT_ACTION_NAMES, AUDIT_VIAS, type AuditEntry } from './audit.ts'
import { time } from './field-types.ts'

/** Characters of its texts. A target names an id and a few words, an address is one of the network. */
export const AUDIT_BOUNDS = { target: 1000, address: 100, name: 200, outcome: 64 }
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const text = (most: number) => z.string().max(most)
/** Fields that a later program has added stay. */
export const auditEntrySchema = z.looseObject({
  id: z.string().regex(ID, 'must be a UUID in lower case'),
  at: time.schema,
  actor: z.looseObject({ account: text(AUDIT_BOUNDS.name), name: text(AUDIT_BOUNDS.name) }).nullable(),
  via: z.enum(AUDIT_VIAS),
  action: z.enum(AUDIT_ACTION_NAMES),
  target: text(AUDIT_BOUNDS.target).nullable(),
  outcome: text(AUDIT_BOUNDS.outcome),
  address: text(AUDIT_BOUNDS.address).nullable(),
}) satisfies z.ZodType<AuditEntry>

/** The entry as a line, without its newline. The same entry gives the same line. */
export const encodeAuditEntry = (entry: AuditEntry): string => {
  const { id, at, actor, via, action, target, outcome, address, ...rest } = entry
  return JSON.stringify({ id, at, actor, via, action, target, outcome, address, ...rest })
}

/** Null for what is no entry. */
export const parseAuditEntry = (line: string): AuditEntry | null => {
  try {
    const parsed = auditEntrySchema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : null
  } catch {
    return null
  }
}
