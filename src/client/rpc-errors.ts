// The two errors of a call over Thrift.
import types from '../../gen/js/rpcinterface_types.js'

export interface RpcProblem {
  /** The path of the field, such as params.digits. */
  path: string
  problem: string
}

/**
 * The server answered with an error. `code` is permanent (docs/errors.md). `status` is the HTTP status for it; 0:
 * unknown.
 */
export class RpcError extends Error {
  readonly code: string
  readonly status: number
  readonly problems: readonly RpcProblem[]
  /** How long to wait before the next try, milliseconds; null if the server did not say. */
  readonly retryAfterMs: number | null
  constructor(
    code: string,
    message: string,
    status = 0,
    problems: readonly RpcProblem[] = [],
    retryAfterMs: number | null = null,
  ) {
    super(message)
    this.name = 'RpcError'
    this.code = code
    this.status = status
    this.problems = problems
    this.retryAfterMs = retryAfterMs
  }
}

/** No answer came. The call may or may not have been done, unless `sent` is false. */
export class RpcConnectionError extends Error {
  readonly sent: boolean
  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RpcConnectionError'
    this.sent = sent
  }
}

const UNAVAILABLE = 503

/** Whether the same call may succeed a little later. */
export const mayPass = (error: unknown): boolean =>
  error instanceof RpcConnectionError || (error instanceof RpcError && error.status === UNAVAILABLE)

const DECLARED = [types.Refused, types.NotFound, types.Conflict, types.Unavailable] as const

/** Turns an error of generated code into one of the two. */
export const toRpcError = (error: unknown): Error => {
  if (error instanceof RpcError || error instanceof RpcConnectionError) return error
  if (DECLARED.some(declared => error instanceof declared)) {
    const { code, message, status, problems, retryAfterSeconds } = error as InstanceType<typeof types.Refused>
    return new RpcError(
      code,
      message,
      status,
      (problems ?? []).map(({ path, problem }) => ({ path, problem })),
      retryAfterSeconds ? retryAfterSeconds * 1_000 : null,
    )
  }
  const text = error instanceof Error ? error.message : String(error)
  // an undeclared exception has its code before the text
  const [, code = 'INTERNAL', message = text] = /^([A-Z][A-Z_]+): (.*)$/s.exec(text) ?? []
  return new RpcError(code, message)
}
