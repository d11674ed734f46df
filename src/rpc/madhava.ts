// The methods of the service Madhava: Thrift's structs on one side, the service on the other. No rules of its own about
// tasks, no sockets.
import types from '../../gen/js/rpcinterface_types.js'
import type { StoredContent } from '../core/content.ts'
import { MadhavaError } from '../core/errors.ts'
import type { KindInfo } from '../core/kind-info.ts'
import type { Service } from '../core/service.ts'
import { createStateReader } from '../core/state-reader.ts'
import type { TaskRecord } from '../core/task.ts'
import { turns } from '../core/turns.ts'
import type { HostSnapshot } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import { ACTOR } from './actor.ts'
import { parseFilter, toLine, toPage, toRange, toSubmission, toText, toTimeout } from './arguments.ts'
import { build, i64 } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { declares, EXCEPTIONS, type ExceptionName } from './declared.ts'
import { hostStatusStruct, queueStatusStruct } from './host-struct.ts'
import { taskLogStruct } from './log-struct.ts'
import { limitsStruct, listedTaskStruct, retryStruct, taskStruct, waitingStruct } from './task-struct.ts'

export interface MadhavaDeps {
  service: Service
  /** The machine's figures. */
  machine: { snapshot(): HostSnapshot }
  log: Log
  clock: () => Date
  /** Of the package. */
  version: string
}

/** A page whose tasks' texts take more than this, in characters, is cut short after its first task at least. */
const PAGE_CHARACTERS = 1024 * 1024

/** Fields of the same name and type as they are, the others named here. */
const kindStruct = ({ params, result, example, retry, limits, ...same }: KindInfo) =>
  build(types.Kind, {
    ...same,
    paramsSchema: JSON.stringify(params),
    resultSchema: JSON.stringify(result),
    example: JSON.stringify(example),
    retryPolicy: retryStruct(retry),
    limits: limitsStruct(limits),
  })

const bytesOf = async (content: StoredContent, range: { start: number; end: number }): Promise<Buffer> => {
  if (range.start === range.end) return Buffer.alloc(0)
  const pieces: Buffer[] = []
  for await (const piece of await content.open(range)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/**
 * How many tasks of a page fit in one reply. Params and result of each are previews; what else it says may be large.
 */
const fitting = (tasks: readonly ReturnType<typeof listedTaskStruct>[]): number => {
  let room = PAGE_CHARACTERS
  const count = tasks.findIndex(({ params, result, resultInfo, description, error }) => {
    const texts = [params, result, resultInfo, description, error?.message, error?.detail]
    for (const text of texts) room -= text?.length ?? 0
    return room < 0
  })
  return count === -1 ? tasks.length : Math.max(1, count)
}

/** By name. */
export const createMadhavaMethods = ({
  service,
  machine,
  log,
  clock,
  version,
}: MadhavaDeps): ReadonlyMap<string, RpcMethod> => {
  const readState = createStateReader(service, error => log.warn({ error }, 'the state cannot be read'))

  /** One after another: the params of each may be large. */
  const structsOf = async (tasks: readonly TaskRecord[], why: boolean) => {
    const structs: ReturnType<typeof listedTaskStruct>[] = []
    const reasons = why ? await service.whyEach(tasks) : []
    for (const [place, task] of tasks.entries()) {
      const struct = listedTaskStruct(task, reasons[place])
      structs.push(struct)
      await turns.spend(1, struct.params.length)
    }
    return structs
  }

  const pageTasks = async ([wanted, limit, cursor]: readonly unknown[], why: boolean) => {
    const { filter, sort } = parseFilter(wanted)
    const query = { ...toPage(limit, cursor), sort }
    let page = await service.list(ACTOR, filter, query)
    let tasks = await structsOf(page.tasks, why)
    const count = fitting(tasks)
    if (count < tasks.length) {
      // listed again, since a cursor points behind the last task of its page
      page = await service.list(ACTOR, filter, { ...query, limit: count })
      tasks = await structsOf(page.tasks, why)
    }
    return build(types.TaskPage, { tasks, nextCursor: page.next })
  }

  const piece =
    (read: Service['result']) =>
    async ([id, offset, length]: readonly unknown[]): Promise<unknown> => {
      const task = await service.get(ACTOR, toText(id, 'id'))
      const content = await read(ACTOR, task.id)
      const bytes = await bytesOf(content, toRange(offset, length, content.bytes))
      return build(types.Piece, {
        bytes,
        totalBytes: i64(content.bytes),
        contentType: content.contentType,
        rev: i64(task.rev),
      })
    }

  const method = (arity: number, run: RpcMethod['run'], ...exceptions: ExceptionName[]): RpcMethod => ({
    arity,
    run,
    declared: declares(...exceptions),
  })

  return new Map<string, RpcMethod>([
    ['ping', method(0, async () => undefined)],
    ['version', method(0, async () => version)],
    [
      'submitTask',
      method(
        3,
        async ([kind, params, options]) => {
          const { submission, idempotencyKey } = toSubmission(kind, params, options)
          return taskStruct((await service.submit(ACTOR, submission, idempotencyKey)).task)
        },
        'refused',
        'unavailable',
      ),
    ],
    [
      'getTask',
      method(
        1,
        async ([id]) => taskStruct(await service.get(ACTOR, toText(id, 'id'))),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    [
      'waitTask',
      method(
        3,
        async ([id, version, timeoutMs], signal) => {
          const timeout = toTimeout(timeoutMs)
          const known = version === null ? '' : toText(version, 'version')
          return taskStruct((await service.wait(ACTOR, toText(id, 'id'), known, timeout, signal)).task)
        },
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    ['pageTasks', method(3, args => pageTasks(args, false), 'refused', 'unavailable')],
    ['pageTasksWhy', method(3, args => pageTasks(args, true), 'refused', 'unavailable')],
    [
      'whyTask',
      method(1, async ([id]) => waitingStruct(await service.why(ACTOR, toText(id, 'id'))), ...EXCEPTIONS),
    ],
    [
      'cancelTask',
      method(
        1,
        async ([id]) => {
          const { outcome, task } = await service.cancel(ACTOR, toText(id, 'id'))
          return build(types.Cancelled, { outcome, task: taskStruct(task) })
        },
        ...EXCEPTIONS,
      ),
    ],
    [
      'retryTask',
      method(1, async ([id]) => taskStruct(await service.retry(ACTOR, toText(id, 'id'))), ...EXCEPTIONS),
    ],
    ['purgeTask', method(1, ([id]) => service.purge(ACTOR, toText(id, 'id')), ...EXCEPTIONS)],
    ['readResult', method(3, piece(service.result), ...EXCEPTIONS)],
    ['readLog', method(3, piece(service.log), 'refused', 'notFound', 'unavailable')],
    [
      'getTaskLog',
      method(
        2,
        async ([id, after]) =>
          taskLogStruct(await service.logEntries(ACTOR, toText(id, 'id'), toLine(after))),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    ['listKinds', method(0, async () => service.kinds().map(kindStruct), 'unavailable')],
    [
      'listKindTroubles',
      method(
        0,
        async () => (await service.kindTroubles()).map(trouble => build(types.KindTrouble, trouble)),
        'unavailable',
      ),
    ],
    [
      'hostStatus',
      method(
        0,
        async () =>
          hostStatusStruct({ host: machine.snapshot(), ...(await readState()), version, now: clock() }),
        'unavailable',
      ),
    ],
    [
      'queueStatus',
      method(
        0,
        async () => {
          const { state, trouble } = await readState()
          if (state) return queueStatusStruct(state.queue)
          throw new MadhavaError('STORE_UNAVAILABLE', trouble ?? undefined)
        },
        'unavailable',
      ),
    ],
  ])
}
