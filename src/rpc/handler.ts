// All methods of idl/rpcinterface.thrift, behind the generated processor of the service that extends the other.
import madhava from '../../gen/js/Madhava.js'
import { createAccountMethods } from './account-methods.ts'
import { createAuditMethods } from './audit-method.ts'
import type { CallerDeps } from './caller.ts'
import { createFileMethods } from './file-methods.ts'
import type { RpcLimits } from './limits.ts'
import { createOriginalMethods } from './original.ts'
import { createPeopleMethods } from './people-methods.ts'
import { createServerMethods, type ServerMethodDeps } from './server-methods.ts'
import { createShareMethods } from './share-methods.ts'
import { createTaskMethods, type TaskMethodDeps } from './task-methods.ts'

export interface HandlerDeps extends TaskMethodDeps, ServerMethodDeps {
  limits: RpcLimits
}

/** What answers any call of either service. */
export const createHandler = (deps: HandlerDeps): Pick<CallerDeps, 'processor' | 'methods'> => ({
  processor: madhava.Processor,
  methods: new Map([
    ...createOriginalMethods(deps),
    ...createTaskMethods(deps),
    ...createPeopleMethods(deps),
    ...createFileMethods(deps),
    ...createServerMethods(deps),
    ...createAccountMethods(deps),
    ...createShareMethods(deps),
    ...createAuditMethods(deps),
  ]),
})
