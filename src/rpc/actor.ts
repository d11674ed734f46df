// The actor of Thrift calls: always anonymous, since Thrift has no login.
import type { Actor } from '../core/actor.ts'
import { strangerOf } from '../core/policy.ts'

export const ACTOR: Actor = strangerOf('full', 'rpc')
