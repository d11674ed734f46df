// All methods of idl/rpcinterface.thrift, behind the generated processor of the service that extends the other.
import madhava from '../../gen/js/Madhava.js'
import type { CallerDeps } from './caller.ts'
import type { RpcLimits } from './limits.ts'
import { createMadhavaMethods, type MadhavaDeps } from './madhava.ts'
import { createOriginalMethods } from './original.ts'

export interface HandlerDeps extends MadhavaDeps {
  limits: RpcLimits
}

/** What answers any call of either service. */
export const createHandler = (deps: HandlerDeps): Pick<CallerDeps, 'processor' | 'methods'> => ({
  processor: madhava.Processor,
  methods: new Map([...createOriginalMethods(deps), ...createMadhavaMethods(deps)]),
})
