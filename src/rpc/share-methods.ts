// The methods of the service Madhava about links to a task. Thrift's structs on one side, the service and Access on the
// other. No rules of its own, no sockets.
import types from '../../gen/js/rpcinterface_types.js'
import type { Access, ShareView } from '../access/access.ts'
import { ACCESS_BOUNDS } from '../access/bounds.ts'
import type { Service } from '../core/service.ts'
import { toText } from './arguments.ts'
import { build } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { methodFor } from './method.ts'

/** `token` is known where it was just made. */
const shareStruct = (view: ShareView & { token?: string }) =>
  build(types.Share, { ...view, token: view.token ?? null })

/** 0 means the usual time. Access refuses what is too long. */
const toSeconds = (seconds: unknown): number =>
  typeof seconds === 'number' && seconds !== 0 ? seconds : ACCESS_BOUNDS.shareSeconds.default

/** By name. */
export const createShareMethods = ({
  service,
  access,
}: {
  service: Pick<Service, 'getToChange'>
  access: Pick<Access, 'share' | 'shares' | 'withdrawShare'>
}): ReadonlyMap<string, RpcMethod> =>
  new Map<string, RpcMethod>([
    [
      'shareTask',
      methodFor(
        2,
        async (actor, [given, seconds]) => {
          const { id } = await service.getToChange(actor, toText(given, 'id'))
          return shareStruct(await access.share(actor, id, toSeconds(seconds)))
        },
        'refused',
        'notFound',
        'conflict',
        'unavailable',
      ),
    ],
    [
      'listShares',
      methodFor(
        1,
        async (actor, [given]) => {
          const { id } = await service.getToChange(actor, toText(given, 'id'))
          return (await access.shares(actor, id)).map(shareStruct)
        },
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    [
      'withdrawShare',
      methodFor(
        2,
        async (actor, [given, share]) => {
          const { id } = await service.getToChange(actor, toText(given, 'id'))
          await access.withdrawShare(actor, id, toText(share, 'share'))
        },
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
  ])
