// Who asks at the Thrift door: nobody is known there, since it has no login.
import type { Actor } from '../core/actor.ts'

export const ACTOR: Actor = { name: null, via: 'rpc' }
