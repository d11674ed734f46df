// What the dashboard signs with the key of the sessions, and how signatures are compared. It knows no cookies and no
// logins.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** What routes know of a session. */
export interface Session {
  /** Milliseconds since 1970. */
  expiresAt: number
  /** The value of the hidden field in every form, and of X-CSRF-Token. */
  formToken: string
}

export const sign = (key: Buffer, purpose: string, text: string): Buffer =>
  createHmac('sha256', key).update(`${purpose}\n${text}`).digest()

export const textOf = (signature: Buffer): string => signature.toString('base64url')

/** Compared as texts, since several last characters stand for the same bytes. */
export const isSame = (expected: string, given: string): boolean => {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Whether a form's token belongs to the session. */
export const isFormToken = (session: Session, token: string): boolean => isSame(session.formToken, token)
