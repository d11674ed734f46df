// The methods of the original service RPCcelery, as its clients know them: Thrift's structs on one side, the service on
// the other. No rules of its own about tasks, no sockets.
import thrift from 'thrift'
import type { calcResult } from '../../gen/js/rpcinterface_types.js'
import types from '../../gen/js/rpcinterface_types.js'
import type { Access } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import { createSemaphore } from '../core/async/semaphore.ts'
import { cutText } from '../core/cut-text.ts'
import { ERRORS, isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { Service } from '../core/service.ts'
import type { TaskRecord } from '../core/task.ts'
import { turns } from '../core/turns.ts'
import type { RpcMethod } from './caller.ts'
import { leadingNumber, leadingNumberOfContent } from './leading-number.ts'
import type { RpcLimits } from './limits.ts'
import { loginOver, type RpcCall } from './who-calls.ts'

export interface OriginalDeps {
  service: Service
  access: Pick<Access, 'watch'>
  limits: Pick<RpcLimits, 'listedTasks' | 'lists'>
}

const PAGE = 100
/** Large results read at a time: each may hold a file open. */
const PARALLEL_READS = 16
const ECHO_LENGTH = 64

const badTask = (error: unknown): Error | null => (error instanceof types.BadTask ? error : null)
const nothing = (): null => null

/** By name. */
export const createOriginalMethods = ({
  service,
  access,
  limits,
}: OriginalDeps): ReadonlyMap<string, RpcMethod> => {
  // bounds memory, not time
  const inTurn = createSemaphore(limits.lists)

  /** Null also when the task or its result has gone in the meantime. */
  const numberOf = async (actor: Actor, task: TaskRecord): Promise<number | null> => {
    if (task.status !== 'SUCCESS' && task.status !== 'PROGRESS') return null
    if (task.resultBytes === null) return leadingNumber(task.result)
    try {
      return await leadingNumberOfContent(await service.result(actor, task.id))
    } catch (error) {
      const gone = ['TASK_NOT_FOUND', 'RESULT_NOT_FOUND', 'TASK_NOT_ENDED'] as const
      if (gone.some(code => isMadhavaError(error, code))) return null
      throw error
    }
  }

  const toStruct = async (actor: Actor, task: TaskRecord): Promise<calcResult> => {
    const result = await numberOf(actor, task)
    return new types.calcResult({
      id: task.id,
      status: task.status,
      pushqtime: task.createdAt,
      ...(task.startedAt !== null && { starttime: task.startedAt }),
      ...(task.finishedAt !== null && { stoptime: task.finishedAt }),
      ...(result !== null && { result }),
    })
  }

  const startCalcPi = async (actor: Actor, decimal: unknown): Promise<string> => {
    if (typeof decimal !== 'number')
      throw new MadhavaError('BAD_REQUEST', 'startCalcPi takes one argument: 1: i8 decimal')
    if (decimal < 0)
      throw new MadhavaError('PARAMS_INVALID', `decimal is a number of digits, 0 to 127; it is ${decimal}`)
    const { task } = await service.submit(actor, { kind: 'calcpi', params: { digits: decimal } })
    return task.id
  }

  const getTaskStatus = async (call: RpcCall, uuid: unknown): Promise<calcResult> => {
    const id = typeof uuid === 'string' ? uuid : ''
    try {
      const actor = await call.actor()
      return await toStruct(actor, await service.get(actor, id))
    } catch (error) {
      if (isMadhavaError(error) && ERRORS[error.code].rpc < 500)
        throw new types.BadTask({ uuid: cutText(id, ECHO_LENGTH), error_code: ERRORS[error.code].rpc })
      throw error
    }
  }

  /**
   * Records become structs page by page, so that no more than a page of them is held.
   * @throws UNAUTHORIZED when the login or the key has ended meanwhile, or may do something else now
   */
  const listTasks = async (actor: Actor, isOver: () => boolean): Promise<calcResult[]> => {
    const listed: calcResult[] = []
    let cursor: string | null = null
    do {
      if (isOver()) throw loginOver()
      const wanted = Math.min(PAGE, limits.listedTasks - listed.length)
      const page = await service.list(actor, {}, { limit: wanted, cursor })
      for (let i = 0; i < page.tasks.length; i += PARALLEL_READS) {
        listed.push(
          ...(await Promise.all(page.tasks.slice(i, i + PARALLEL_READS).map(task => toStruct(actor, task)))),
        )
        await turns.spend(PARALLEL_READS)
      }
      cursor = page.next
    } while (cursor !== null && listed.length < limits.listedTasks)
    return listed
  }

  /** Generated code would write ten thousand of them in one go. */
  const writeList = async (output: thrift.TProtocol, list: unknown): Promise<void> => {
    const structs = list as { write(output: thrift.TProtocol): void }[]
    output.writeListBegin(thrift.Thrift.Type.STRUCT, structs.length)
    for (const struct of structs) {
      struct.write(output)
      const pause = turns.spend(1)
      if (pause) await pause
    }
    output.writeListEnd()
  }

  return new Map<string, RpcMethod>([
    [
      'startCalcPi',
      {
        arity: 1,
        run: async ([decimal], _signal, call) => startCalcPi(await call.actor(), decimal),
        declared: nothing,
      },
    ],
    [
      'getTaskStatus',
      { arity: 1, run: ([uuid], _signal, call) => getTaskStatus(call, uuid), declared: badTask },
    ],
    [
      'listTasks',
      {
        arity: 0,
        // in its turn, since a key may end while it waits
        run: (_args, _signal, call) =>
          inTurn(async () => {
            const actor = await call.actor()
            const watch = access.watch(actor)
            try {
              return await listTasks(actor, () => watch.signal.aborted)
            } finally {
              watch.close()
            }
          }),
        declared: nothing,
        longResult: { type: thrift.Thrift.Type.LIST, write: writeList },
      },
    ],
  ])
}
