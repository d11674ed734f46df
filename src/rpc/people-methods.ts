// The methods of the service Madhava about tasks that people do: Thrift's structs on one side, the service on the other.
// No rules of its own.
import { MadhavaError } from '../core/errors.ts'
import { parseNewItem } from '../core/people.ts'
import type { Service } from '../core/service.ts'
import { toEdit, toItem, toText, toVersions } from './arguments.ts'
import type { RpcMethod } from './caller.ts'
import { EXCEPTIONS } from './declared.ts'
import { methodFor } from './method.ts'
import { taskStruct } from './task-struct.ts'

/** By name. */
export const createPeopleMethods = ({
  service,
}: {
  service: Pick<Service, 'submit' | 'edit' | 'complete'>
}): ReadonlyMap<string, RpcMethod> =>
  new Map<string, RpcMethod>([
    [
      'createItem',
      methodFor(
        1,
        async (actor, [given]) => {
          const { item, idempotencyKey } = toItem(given)
          return taskStruct((await service.submit(actor, parseNewItem(item), idempotencyKey)).task)
        },
        'refused',
        'unavailable',
      ),
    ],
    [
      'editTask',
      methodFor(
        3,
        async (actor, [id, edit, version]) => {
          const known = toVersions(version)
          if (known === null)
            throw new MadhavaError(
              'VERSION_MISSING',
              'Send the version of the task as you know it: somebody else may have changed it since',
            )
          return taskStruct(await service.edit(actor, toText(id, 'id'), toEdit(edit), known))
        },
        ...EXCEPTIONS,
      ),
    ],
    [
      'completeTask',
      methodFor(
        3,
        async (actor, [id, note, version]) => {
          const body = note === null || note === '' ? {} : { note: toText(note, 'note') }
          return taskStruct(await service.complete(actor, toText(id, 'id'), body, toVersions(version)))
        },
        ...EXCEPTIONS,
      ),
    ],
  ])
