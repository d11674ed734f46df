// What can go wrong with a call over Thrift, as two classes. It knows no connection.
import types from '../../gen/js/rpcinterface_types.js'

export interface RpcProblem {
  /** Where it is, as in params.digits. */
  path: string
  problem: string
}

/**
 * The server's answer is an error. `code` is permanent (docs/errors.md); `status` is what HTTP would say, 0: not told.
 */
export class RpcError extends Error {
  readonly code: string
  readonly status: number
  readonly problems: readonly RpcProblem[]
  constructor(code: string, message: string, status = 0, problems: readonly RpcProblem[] = []) {
    super(message)
    this.name = 'RpcError'
    this.code = code
    this.status = status
    this.problems = problems
  }
}

/** There is no answer: whether the call was done is not known, unless `sent` is false. */
export class RpcConnectionError extends Error {
  readonly sent: boolean
  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RpcConnectionError'
    this.sent = sent
  }
}

const DECLARED = [types.Refused, types.NotFound, types.Conflict, types.Unavailable] as const

/** What generated code rejects with, as one of the two. */
export const toRpcError = (error: unknown): Error => {
  if (error instanceof RpcError || error instanceof RpcConnectionError) return error
  if (DECLARED.some(declared => error instanceof declared)) {
    const { code, message, status, problems } = error as InstanceType<typeof types.Refused>
    return new RpcError(
      code,
      message,
      status,
      (problems ?? []).map(({ path, problem }) => ({ path, problem })),
    )
  }
  const text = error instanceof Error ? error.message : String(error)
  // what is not declared has its code before the text
  const [, code = 'INTERNAL', message = text] = /^([A-Z][A-Z_]+): (.*)$/s.exec(text) ?? []
  return new RpcError(code, message)
}
