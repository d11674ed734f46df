// The actor of Thrift calls: always anonymous, since Thrift has no login.
import type { Actor } from '../core/actor.ts'

export const ACTOR: Actor = { name: null, via: 'rpc' }
