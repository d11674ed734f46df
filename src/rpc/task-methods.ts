// The methods of the service Madhava about tasks: Thrift's structs on one side, the service on the other. No rules of
// its own about tasks, no sockets.
import types from '../../gen/js/rpcinterface_types.js'
import type { Access } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import type { Service } from '../core/service.ts'
import type { TaskRecord } from '../core/task.ts'
import { turns } from '../core/turns.ts'
import { parseFilter, toLine, toPage, toSubmission, toText, toTimeout } from './arguments.ts'
import { build, i64 } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { declares, EXCEPTIONS } from './declared.ts'
import { taskLogStruct } from './log-struct.ts'
import { methodFor } from './method.ts'
import { pieceOf } from './piece-bytes.ts'
import { listedTaskStruct, taskStruct, waitingStruct } from './task-struct.ts'
import { waitAs } from './wait-as.ts'

export interface TaskMethodDeps {
  service: Service
  access: Access
}

/** A page whose tasks' texts take more than this, in characters, is cut short after its first task at least. */
const PAGE_CHARACTERS = 1024 * 1024

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
export const createTaskMethods = ({ service, access }: TaskMethodDeps): ReadonlyMap<string, RpcMethod> => {
  /** One after another: the params of each may be large. */
  const structsOf = async (actor: Actor, tasks: readonly TaskRecord[], why: boolean) => {
    const structs: ReturnType<typeof listedTaskStruct>[] = []
    const reasons = why ? await service.whyEach(actor, tasks) : []
    const owners = tasks.flatMap(({ owner }) => (owner === null ? [] : [owner]))
    const names = await access.namesOf(new Set(owners))
    for (const [place, task] of tasks.entries()) {
      const struct = listedTaskStruct(task, {
        waiting: reasons[place] ?? null,
        ownerName: names.get(task.owner ?? '') ?? null,
      })
      structs.push(struct)
      await turns.spend(1, struct.params.length)
    }
    return structs
  }

  const pageTasks = async (actor: Actor, [wanted, limit, cursor]: readonly unknown[], why: boolean) => {
    const { filter, sort } = parseFilter(wanted)
    // tasks have the ids of accounts, and people know names; older tasks may have other texts
    if (filter.owner !== undefined) filter.owner = (await access.idOf(filter.owner)) ?? filter.owner
    const query = { ...toPage(limit, cursor), sort }
    let page = await service.list(actor, filter, query)
    let tasks = await structsOf(actor, page.tasks, why)
    const count = fitting(tasks)
    if (count < tasks.length) {
      // listed again, since a cursor points behind the last task of its page
      page = await service.list(actor, filter, { ...query, limit: count })
      tasks = await structsOf(actor, page.tasks, why)
    }
    return build(types.TaskPage, { tasks, nextCursor: page.next })
  }

  const piece =
    (read: Service['result']) =>
    async (actor: Actor, [id, offset, length]: readonly unknown[]): Promise<unknown> => {
      const task = await service.get(actor, toText(id, 'id'))
      const content = await read(actor, task.id)
      return build(types.Piece, {
        bytes: await pieceOf(content, offset, length),
        totalBytes: i64(content.bytes),
        contentType: content.contentType,
        rev: i64(task.rev),
      })
    }

  return new Map<string, RpcMethod>([
    [
      'submitTask',
      methodFor(
        3,
        async (actor, [kind, params, options]) => {
          const { submission, idempotencyKey } = toSubmission(kind, params, options)
          return taskStruct((await service.submit(actor, submission, idempotencyKey)).task)
        },
        'refused',
        'unavailable',
      ),
    ],
    [
      'getTask',
      methodFor(
        1,
        async (actor, [id]) => taskStruct(await service.get(actor, toText(id, 'id'))),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    [
      'waitTask',
      {
        arity: 3,
        run: ([given, version, timeoutMs], signal, call) =>
          waitAs(
            { access, call, signal },
            async (actor, ending) => {
              const timeout = toTimeout(timeoutMs)
              const known = version === null ? '' : toText(version, 'version')
              const { task } = await service.wait(actor, toText(given, 'id'), known, timeout, ending)
              return taskStruct(task)
            },
            async actor => taskStruct(await service.get(actor, toText(given, 'id'))),
          ),
        declared: declares('refused', 'notFound', 'unavailable'),
      },
    ],
    ['pageTasks', methodFor(3, (actor, args) => pageTasks(actor, args, false), 'refused', 'unavailable')],
    ['pageTasksWhy', methodFor(3, (actor, args) => pageTasks(actor, args, true), 'refused', 'unavailable')],
    [
      'whyTask',
      methodFor(
        1,
        async (actor, [id]) => waitingStruct(await service.why(actor, toText(id, 'id'))),
        ...EXCEPTIONS,
      ),
    ],
    [
      'cancelTask',
      methodFor(
        1,
        async (actor, [id]) => {
          const { outcome, task } = await service.cancel(actor, toText(id, 'id'))
          return build(types.Cancelled, { outcome, task: taskStruct(task) })
        },
        ...EXCEPTIONS,
      ),
    ],
    [
      'retryTask',
      methodFor(
        1,
        async (actor, [id]) => taskStruct(await service.retry(actor, toText(id, 'id'))),
        ...EXCEPTIONS,
      ),
    ],
    ['purgeTask', methodFor(1, (actor, [id]) => service.purge(actor, toText(id, 'id')), ...EXCEPTIONS)],
    ['readResult', methodFor(3, piece(service.result), ...EXCEPTIONS)],
    ['readLog', methodFor(3, piece(service.log), 'refused', 'notFound', 'unavailable')],
    [
      'getTaskLog',
      methodFor(
        2,
        async (actor, [id, after]) =>
          taskLogStruct(await service.logEntries(actor, toText(id, 'id'), toLine(after))),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
  ])
}
