// Tickets: whoever shows one is who made it, once and within half a minute. For clients that can send no header, as a
// browser's WebSocket to another origin.
import { type Collection, openCollection, orIfInvalid } from '../core/collection.ts'
import { TICKETS, type Ticket } from '../core/credential-forms.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { Access } from './access.ts'
import { actorOfValid, type Credentials } from './credentials.ts'
import { isSameHash, newToken, parseToken } from './tokens.ts'
import { accountOf } from './who.ts'

const LIFETIME_MS = 30_000
const WINDOW_MS = 60_000
const TICKETS_MAX = 120
const REMEMBERED_MAX = 10_000

interface TicketsDeps {
  documents: Documents
  credentials: Pick<Credentials, 'read' | 'hasExpired'>
  /** The store's. */
  clock: () => Date
}

export const createTicketCalls = ({
  documents,
  credentials,
  clock,
}: TicketsDeps): Pick<Access, 'makeTicket' | 'redeemTicket'> => {
  const collection: Collection<Ticket> = openCollection(documents, 'tickets', TICKETS)
  const invalid = (): MadhavaError => new MadhavaError('UNAUTHORIZED', 'The ticket was used, or is too old')

  /** When each account made tickets lately. Each is a document, so nobody makes them without end. */
  const made = new Map<string, number[]>()
  const countTry = (account: string): void => {
    const now = clock().getTime()
    const recent = (made.get(account) ?? []).filter(at => Math.abs(now - at) < WINDOW_MS)
    if (recent.length >= TICKETS_MAX)
      throw new MadhavaError(
        'TOO_MANY_REQUESTS',
        `An account makes at most ${TICKETS_MAX} tickets a minute`,
        {
          detail: { retryAfterSeconds: WINDOW_MS / 1000 },
        },
      )
    made.delete(account)
    made.set(account, [...recent, now])
    if (made.size <= REMEMBERED_MAX) return
    const [oldest] = made.keys()
    if (oldest !== undefined) made.delete(oldest)
  }

  return {
    async makeTicket(actor) {
      const account = accountOf(actor)
      const { type, id: of } = actor.credential ?? { type: 'share', id: '' }
      if (type === 'share') throw new MadhavaError('UNAUTHORIZED')
      const credential = { type, id: of }
      countTry(account)
      const { id, token, hash } = newToken('ticket', account)
      const expiresAt = new Date(clock().getTime() + LIFETIME_MS).toISOString()
      await collection.put(id, { data: { hash, credential }, expiresAt }, null)
      return { ticket: token, expiresAt }
    },

    async redeemTicket(text, via) {
      const shown = parseToken(text)
      const ticket = shown?.type === 'ticket' ? await orIfInvalid(collection.get(shown.id), () => null) : null
      if (!shown || !ticket || !isSameHash(ticket.data.hash, shown.hash)) throw invalid()
      // of several that show it at once, one removes it
      await collection.remove(ticket.name, ticket.rev).catch((error: unknown) => {
        throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? invalid() : error
      })
      const valid = credentials.hasExpired(ticket) ? null : await credentials.read(ticket.data.credential)
      if (!valid) throw invalid()
      return actorOfValid(valid, via)
    },
  }
}
