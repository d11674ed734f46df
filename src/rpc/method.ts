// Methods for whoever calls: they find out who that is before anything else. No rules about rights.
import type { Actor } from '../core/actor.ts'
import type { RpcMethod } from './caller.ts'
import { declares, type ExceptionName } from './declared.ts'
import type { RpcCall } from './who-calls.ts'

/** A method of so many arguments that begins with who asks, and declares these exceptions. */
export const methodFor = (
  arity: number,
  run: (actor: Actor, args: readonly unknown[], call: RpcCall) => Promise<unknown>,
  ...exceptions: ExceptionName[]
): RpcMethod => ({
  arity,
  run: async (args, _signal, call) => run(await call.actor(), args, call),
  declared: declares(...exceptions),
})

/** The same for everybody, whatever they have shown. */
export const openMethod = (
  arity: number,
  run: (args: readonly unknown[], call: RpcCall) => Promise<unknown>,
  ...exceptions: ExceptionName[]
): RpcMethod => ({
  arity,
  run: (args, _signal, call) => run(args, call),
  declared: declares(...exceptions),
})
