// Every error that leaves the program has a permanent code. This table gives each code its meaning at the APIs. The
// APIs map errors with `toMadhavaError` and this table only. test/rules.test.ts compares docs/errors.md with it.

import { boundedDetail, boundedText } from './error-bounds.ts'

/** What a code means: `status` for HTTP, `rpc` for Thrift's BadTask.error_code, `title` for people. */
export interface ErrorMeaning {
  status: number
  rpc: number
  title: string
}

const row = (status: number, title: string, rpc = status): ErrorMeaning => ({ status, rpc, title })

/** The table. Codes are never renamed or reused. */
export const ERRORS = {
  // the request is wrong
  BAD_REQUEST: row(400, 'The request is malformed'),
  BAD_ID: row(400, 'The task id is not a UUID'),
  BAD_CURSOR: row(400, 'The cursor is not one that this store gave out'),
  BAD_KEY: row(400, 'The name of a blob or key is not allowed'),
  OIDC_STATE_INVALID: row(400, 'The sign-in was begun in another browser, is over, or took too long'),
  UNAUTHORIZED: row(401, 'A login or a key is needed'),
  LOGIN_WRONG: row(401, 'The name or the password is wrong'),
  SCOPE_MISSING: row(403, 'The login or the key may not do this'),
  KIND_NOT_ALLOWED: row(403, 'The key is not for this kind'),
  REGISTRATION_CLOSED: row(403, 'Accounts are made by invitation or by an admin'),
  INVITATION_INVALID: row(403, 'The invitation is unknown, used, withdrawn or too old'),
  ACCOUNT_BUILT_IN: row(403, 'The login is one of the installation itself'),
  ACCOUNT_DISABLED: row(403, 'The account is disabled'),
  OIDC_DENIED: row(403, 'The provider has refused the sign-in'),
  OIDC_NO_ROLE: row(403, 'No group of the person has a role here'),
  FORBIDDEN: row(403, 'The request is refused'),
  DASHBOARD_STAYS: row(403, 'The dashboard does not stop itself'),
  CROSS_SITE: row(403, 'Requests from other web sites are refused'),
  HOST_NOT_ALLOWED: row(403, 'The Host header names a host that this server does not answer for'),
  NOT_FOUND: row(404, 'There is nothing at this address'),
  OIDC_NOT_SET_UP: row(404, 'Sign-in by OpenID Connect is not set up here'),
  TASK_NOT_FOUND: row(404, 'There is no task with this id'),
  ACCOUNT_NOT_FOUND: row(404, 'There is no such account'),
  SESSION_NOT_FOUND: row(404, 'There is no such session of this account'),
  KEY_NOT_FOUND: row(404, 'There is no such key of this account'),
  SHARE_NOT_FOUND: row(404, 'There is no such link, or it is no longer valid'),
  INVITATION_NOT_FOUND: row(404, 'There is no such invitation'),
  DEAD_NOT_FOUND: row(404, 'Nothing that cannot be run has this id'),
  UPLOAD_NOT_FOUND: row(404, 'There is no such upload'),
  ARTIFACT_NOT_FOUND: row(404, 'The task has no file with this name'),
  RESULT_NOT_FOUND: row(404, 'The task has no result'),
  METHOD_NOT_ALLOWED: row(405, 'This address does not take this method'),
  REQUEST_TIMEOUT: row(408, 'The request did not arrive in time'),
  UPLOAD_OPEN: row(409, 'The bytes of the upload have not all come'),
  UPLOAD_OFFSET: row(409, 'The bytes do not continue where the upload ends'),
  UPLOAD_BUSY: row(409, 'Another request writes this upload'),
  UPLOAD_IN_USE: row(409, 'A task names the upload'),
  TASK_EXISTS: row(409, 'A task with this id exists already'),
  TASK_ENDED: row(409, 'The task has ended already'),
  TASK_NOT_ENDED: row(409, 'The task has not ended yet'),
  TASK_BUSY: row(409, 'Another process holds the task'),
  NAME_TAKEN: row(409, 'The name is taken'),
  TOO_MANY_SHARES: row(409, 'The task has as many links as it may have'),
  TOO_MANY_KEYS: row(409, 'The account has as many keys as it may have'),
  PASSWORD_IS_SETTING: row(409, 'The password is that of a setting'),
  PASSWORD_NOT_SET: row(409, 'The account has no password'),
  NOT_FOR_PEOPLE: row(409, 'Workers do the task, not people'),
  DOCUMENT_CHANGED: row(409, 'The document is no longer as it was read'),
  TASK_NOT_WAITING: row(409, 'The task does not wait'),
  CURSOR_TOO_OLD: row(410, 'The changes after this cursor are no longer kept'),
  KINDS_RELOADING: row(409, 'The kinds are being read again just now'),
  PROCESS_BUSY: row(409, 'The process is just stopping; try again when it has stopped'),
  VERSION_CHANGED: row(412, 'The task has changed since it was read'),
  BODY_TOO_LARGE: row(413, 'The request body is too large'),
  UPLOAD_TOO_LARGE: row(413, 'The upload is larger than one may be'),
  URI_TOO_LONG: row(414, 'The address is too long'),
  UNSUPPORTED_MEDIA_TYPE: row(415, 'The request body must be application/json'),
  UPLOAD_TYPE_REFUSED: row(415, 'The bytes of the upload are of a type that is not taken'),
  RANGE_NOT_SATISFIABLE: row(416, 'The range lies outside the result'),
  NAME_INVALID: row(422, 'The name cannot be that of an account'),
  PASSWORD_INVALID: row(422, 'The password cannot be used'),
  KIND_UNKNOWN: row(422, 'There is no kind of task with this name'),
  KINDS_NOT_LOADED: row(422, 'The files of kinds cannot be used, so the old ones stay in use'),
  PARAMS_INVALID: row(422, 'The params do not fit the schema of the kind'),
  UPLOAD_DIGEST_WRONG: row(422, 'The bytes that came are not those of the digest'),
  IDEMPOTENCY_MISMATCH: row(422, 'The idempotency key was used with another body'),
  VERSION_MISSING: row(428, 'The change does not say which version of the task it is for'),
  TOO_MANY_REQUESTS: row(429, 'Too many tries; wait and try again'),
  TOO_MANY_WAITING: row(429, 'As many tasks wait as may wait'),
  QUOTA_EXCEEDED: row(429, 'More tasks than a quota allows'),
  UPGRADE_NEEDED: row(426, 'This address speaks WebSocket'),
  HEADERS_TOO_LARGE: row(431, 'The headers of the request are too large'),

  // the server is at fault
  INTERNAL: row(500, 'Something went wrong inside the server'),
  UPLOADS_FULL: row(507, 'There is no room for more uploads'),
  STORE_FULL: row(507, 'The store has no room for this'),
  STORE_UNAVAILABLE: row(503, 'The store cannot be read or written'),
  KIND_IN_TROUBLE: row(503, 'The file of this kind cannot be used'),
  QUEUE_UNAVAILABLE: row(503, 'The queue cannot be reached'),
  OIDC_FAILED: row(502, 'What the provider of the sign-in has sent cannot be used'),
  OIDC_UNAVAILABLE: row(503, 'The provider of the sign-in does not answer'),
  SUPERVISOR_REFUSED: row(502, 'The process supervisor refused'),
  PROCESS_FAILED: row(502, 'The process did not start, or ended again'),
  SUPERVISOR_UNAVAILABLE: row(503, 'The process supervisor does not answer'),
  TOO_MANY_STREAMS: row(503, 'The server has as many open streams as it takes'),
  OVERLOADED: row(503, 'The server holds as much as it takes; try again'),
  SHUTTING_DOWN: row(503, 'The server is shutting down'),
  DATA_DIR_IN_USE: row(503, 'Another bundle owns the data folder'),
  CONFIG_INVALID: row(500, 'The configuration is wrong'),
  KIND_INVALID: row(500, 'A file of kinds cannot be used'),
  ILLEGAL_MOVE: row(500, 'A task cannot make this move from its status'),
  RECORD_INVALID: row(500, 'The record of a task would not be valid'),
  DOCUMENT_INVALID: row(500, 'A document cannot be used, or would not be valid'),
  CLAIM_LOST: row(500, 'The claim on the task is no longer current'),

  // ends of tasks, found in record.error.code
  KIND_FAILED: row(500, 'The kind threw an error'),
  RESULT_INVALID: row(500, 'The result does not fit the schema of the kind'),
  RESULT_TOO_LARGE: row(500, 'The result is larger than a result may be'),
  ARTIFACT_REFUSED: row(500, 'The file that a kind wanted to keep is refused'),
  ARTIFACT_TOO_LARGE: row(500, 'The file that a kind wanted to keep is larger than one may be'),
  WORKER_LOST: row(500, 'The worker died while running the task, as often as is allowed'),
  TIME_LIMIT: row(500, 'The task ran longer than its limit'),
  OUT_OF_MEMORY: row(500, 'The task used more memory than a thread may'),
  EXPIRED: row(500, 'The task had not started when it expired'),
} as const satisfies Record<string, ErrorMeaning>

export type ErrorCode = keyof typeof ERRORS

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code)

/** Codes of temporary errors: the same call may succeed a little later. */
export const TEMPORARY_ERRORS: readonly ErrorCode[] = ['STORE_FULL', 'STORE_UNAVAILABLE', 'TASK_BUSY']

/**
 * The only error class. `message` is for people and may reach any client: it never holds a path, a secret or a stack.
 * `detail` is JSON-safe data for programs. `cause` is only for the log. What a client sees is bounded here, for all
 * APIs.
 */
export class MadhavaError extends Error {
  readonly code: ErrorCode
  readonly detail: unknown
  constructor(code: ErrorCode, message?: string, options: { detail?: unknown; cause?: unknown } = {}) {
    const text = message ?? ERRORS[code].title
    // details of a 500 are only for the operator
    const isAnswer = ERRORS[code].status !== 500
    super(
      isAnswer ? boundedText(text) : text,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'MadhavaError'
    this.code = code
    this.detail = (isAnswer ? boundedDetail(options.detail) : options.detail) ?? null
  }
}

/** Whether `error` is a MadhavaError and, when given, has this code. */
export const isMadhavaError = (error: unknown, code?: ErrorCode): error is MadhavaError =>
  error instanceof MadhavaError && (code === undefined || error.code === code)

/** A MadhavaError stays as it is. Any other error becomes INTERNAL and is kept as the cause, for the log. */
export const toMadhavaError = (error: unknown): MadhavaError =>
  isMadhavaError(error) ? error : new MadhavaError('INTERNAL', undefined, { cause: error })
