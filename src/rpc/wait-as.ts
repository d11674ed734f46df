// Waits for somebody only as long as they may see what they wait for. It knows no tasks.
import type { Access } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import type { RpcCall } from './who-calls.ts'

/**
 * What `wait` answers; its signal also fires when the rights of the actor have changed. Whoever still has a login then
 * gets the answer of `look` with their present rights.
 * @throws UNAUTHORIZED when the login or the key has ended; as `wait` and `look`
 */
export const waitAs = async <T>(
  { access, call, signal }: { access: Pick<Access, 'watch'>; call: RpcCall; signal: AbortSignal },
  wait: (actor: Actor, signal: AbortSignal) => Promise<T>,
  look: (actor: Actor) => Promise<T>,
): Promise<T> => {
  const actor = await call.actor()
  const watch = access.watch(actor)
  const ending = new AbortController()
  const end = (): void => ending.abort()
  signal.addEventListener('abort', end)
  watch.signal.addEventListener('abort', end)
  if (signal.aborted || watch.signal.aborted) end()
  try {
    const answer = await wait(actor, ending.signal)
    return watch.signal.aborted ? await look(await call.again()) : answer
  } finally {
    watch.close()
    signal.removeEventListener('abort', end)
    watch.signal.removeEventListener('abort', end)
  }
}
