// The audit in Redis: a sorted set by time, and a hash of what is about to be done. Writes are one script each.
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
import { encodeAuditEntry, parseAuditEntry } from '../../core/audit-form.ts'
import { turns } from '../../core/turns.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import type { Scripts } from './scripts.ts'

interface AuditDeps {
  scripts: Pick<Scripts, 'run'>
  redis: Pick<RedisConnection, 'call'>
  /** Of the sorted set. */
  key: string
  instance: string
  /** Tells Redis which processes of this host are gone. */
  buryTheDead: () => Promise<unknown>
}

/** Entries that one call reads or writes: Redis does nothing else meanwhile. */
const BATCH = 500

const scored = (entry: AuditEntry): [number, string] => [Date.parse(entry.at), encodeAuditEntry(entry)]

export const createAudit = ({ scripts, redis, key, instance, buryTheDead }: AuditDeps): AuditTrail => {
  /** Members in the order of a page, from those of the time `high` on, down to that of `low`. */
  async function* members(high: string, low: string): AsyncGenerator<string> {
    for (let offset = 0; ; offset += BATCH) {
      const found = (await redis.call('ZREVRANGEBYSCORE', key, high, low, 'LIMIT', offset, BATCH)) as string[]
      yield* found
      if (found.length < BATCH) return
    }
  }

  return {
    async begin(entry) {
      const [ms, json] = scored({ ...entry, outcome: UNKNOWN })
      await scripts.run('beginAudit', entry.id, instance, ms, json)
    },

    async end(id, entry) {
      await scripts.run('addAudit', id, ...(entry ? scored(entry) : []))
    },

    async add(entries) {
      for (let at = 0; at < entries.length; at += BATCH)
        await scripts.run('addAudit', '', ...entries.slice(at, at + BATCH).flatMap(scored))
    },

    async page(filter, { limit, cursor }) {
      const after = decodeAuditCursor(cursor)
      const upTo = after?.slice(0, 24)
      const bound = upTo !== undefined && (filter.to === undefined || upTo < filter.to) ? upTo : filter.to
      const high = bound === undefined ? '+inf' : String(Date.parse(bound))
      const low = filter.from === undefined ? '-inf' : String(Date.parse(filter.from))
      const found: AuditEntry[] = []
      let looked = 0
      let last: AuditEntry | null = null
      for await (const member of members(high, low)) {
        const entry = parseAuditEntry(member)
        const pause = turns.spend(1)
        if (pause) await pause
        if (!entry) continue
        // others of the same time were on the page before; one more at the top moves all of them on
        const seen = last ? auditKey(last) : after
        if (seen !== null && auditKey(entry) >= seen) continue
        if (found.length >= limit || looked >= AUDIT_LOOK_AT)
          return { entries: found, next: last && encodeAuditCursor(last) }
        last = entry
        looked += 1
        if (fitsAudit(entry, filter)) found.push(entry)
      }
      return { entries: found, next: null }
    },

    async settle() {
      await buryTheDead()
      return scripts.run<number>('settleAudit')
    },

    async removeBefore(at) {
      await redis.call('ZREMRANGEBYSCORE', key, '-inf', `(${Date.parse(at)}`)
    },
  }
}
