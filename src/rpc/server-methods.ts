// The methods of the service Madhava about the server itself: its version, its kinds, the machine, the processes and the
// queue. No rules of its own, no sockets.

import types from '../../gen/js/rpcinterface_types.js'
import type { Actor } from '../core/actor.ts'
import { MadhavaError } from '../core/errors.ts'
import type { KindInfo } from '../core/kind-info.ts'
import { demand, seesAll } from '../core/policy.ts'
import type { Service } from '../core/service.ts'
import { createStateReader } from '../core/state-reader.ts'
import type { HostSnapshot } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import { build } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { hostStatusStruct, queueStatusStruct } from './host-struct.ts'
import { methodFor, openMethod } from './method.ts'
import { limitsStruct, retryStruct } from './task-struct.ts'

export interface ServerMethodDeps {
  service: Service
  /** The machine's figures. */
  machine: { snapshot(): HostSnapshot }
  log: Log
  clock: () => Date
  /** Of the package. */
  version: string
}

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

/**
 * What the machine and the queue do tells what others do.
 * @throws UNAUTHORIZED, SCOPE_MISSING, FORBIDDEN for an actor who does not see all tasks
 */
const demandWhole = (actor: Actor): void => {
  demand(actor, 'read')
  if (!seesAll(actor))
    throw new MadhavaError('FORBIDDEN', 'Only who sees all tasks sees the machine and the queue')
}

/** By name. */
export const createServerMethods = ({
  service,
  machine,
  log,
  clock,
  version,
}: ServerMethodDeps): ReadonlyMap<string, RpcMethod> => {
  const readState = createStateReader(service, error => log.warn({ error }, 'the state cannot be read'))

  return new Map<string, RpcMethod>([
    ['ping', openMethod(0, async () => undefined)],
    ['version', openMethod(0, async () => version)],
    [
      'listKinds',
      methodFor(0, async actor => service.kinds(actor).map(kindStruct), 'refused', 'unavailable'),
    ],
    [
      'listKindTroubles',
      methodFor(
        0,
        async actor => (await service.kindTroubles(actor)).map(trouble => build(types.KindTrouble, trouble)),
        'refused',
        'unavailable',
      ),
    ],
    [
      'reloadKinds',
      methodFor(
        0,
        async actor => {
          const { processes, ...same } = await service.reloadKinds(actor)
          return build(types.KindsReloaded, {
            ...same,
            processes: processes.map(one => build(types.ReloadedProcess, one)),
          })
        },
        'refused',
        'conflict',
        'unavailable',
      ),
    ],
    [
      'hostStatus',
      methodFor(
        0,
        async actor => {
          demandWhole(actor)
          return hostStatusStruct({
            ...{ host: machine.snapshot(), version, now: clock() },
            ...(await readState(actor)),
          })
        },
        'refused',
        'unavailable',
      ),
    ],
    [
      'queueStatus',
      methodFor(
        0,
        async actor => {
          demandWhole(actor)
          const { state, trouble } = await readState(actor)
          if (state) return queueStatusStruct(state.queue)
          throw new MadhavaError('STORE_UNAVAILABLE', trouble ?? undefined)
        },
        'refused',
        'unavailable',
      ),
    ],
  ])
}
