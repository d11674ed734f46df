// Tracks what a run has started and detached with `unref`: timers, sockets, servers, children, workers, watchers. Node
// lists only what keeps a thread alive, so these are noted when `unref` is called.

import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { MessagePort } from 'node:worker_threads'

export interface UnrefTracker {
  /** Whether something noted since the last `forget` still exists. */
  any(): boolean
  forget(): void
}

interface Timer {
  _destroyed?: boolean
  unref(): unknown
}
interface Handle {
  unref(): unknown
  /** Undefined once the handle is closed. */
  hasRef(): boolean | undefined
}

/** Prunes the list at this size, since a run may make and end many timers. */
const PRUNE_AT = 1_000

/**
 * Whether the caller is code of a kind, and not Node's own (the timer of `fetch`, an idle connection of an agent).
 * What `AbortSignal.timeout` makes belongs to the kind. Frames of the class itself are skipped.
 */
const isKindCalling = (): boolean => {
  const settings: { stackTraceLimit: number; prepareStackTrace?: unknown } = Error
  const { stackTraceLimit, prepareStackTrace } = settings
  settings.stackTraceLimit = 6
  settings.prepareStackTrace = undefined
  const { stack = '' } = new Error('who')
  settings.stackTraceLimit = stackTraceLimit
  settings.prepareStackTrace = prepareStackTrace
  const callers = stack.split('\n').slice(3)
  const first = callers.findIndex(line => !/\.unref \(node:/.test(line))
  const caller = callers[first] ?? ''
  return !caller.includes('(node:') && !caller.includes('at node:')
    ? caller !== ''
    : caller.includes('node:internal/abort_controller')
}

/** The base class of all libuv handles, which can only be reached by opening some handle. */
const handlePrototype = (): Handle | null => {
  try {
    const { TCP, constants } = (
      process as unknown as {
        binding(name: string): { TCP: new (type: number) => object; constants: { SOCKET: number } }
      }
    ).binding('tcp_wrap')
    const handle = new TCP(constants.SOCKET)
    let at: object | null = handle
    while (at && !Object.hasOwn(at, 'unref')) at = Object.getPrototypeOf(at)
    ;(handle as { close(): void }).close()
    return at as Handle | null
  } catch {
    return null
  }
}

/** `isRun`: whether the code running now belongs to a run, and not to a kind's file or to us. */
export const trackUnrefs = (isRun: () => boolean): UnrefTracker => {
  const noted = new Map<object, () => boolean>()
  const note = (thing: object, isThere: () => boolean): void => {
    if (noted.size >= PRUNE_AT) for (const [known, there] of noted) if (!there()) noted.delete(known)
    noted.set(thing, isThere)
  }
  const watch = <T extends { unref(): unknown }>(
    prototype: T | null,
    isThere: (thing: T) => boolean,
    follow: (thing: T) => unknown = () => {},
  ): void => {
    if (!prototype) return
    const { unref } = prototype
    Object.defineProperty(prototype, 'unref', {
      value(this: T) {
        if (isRun() && !noted.has(this) && isKindCalling()) {
          note(this, () => isThere(this))
          follow(this)
        }
        return unref.call(this)
      },
      configurable: true,
      writable: true,
      enumerable: true,
    })
  }

  const timeout = setTimeout(() => {}, 0)
  const immediate = setImmediate(() => {})
  clearTimeout(timeout)
  clearImmediate(immediate)
  const isRunning = (timer: Timer): boolean => timer._destroyed !== true
  watch<Timer>(Object.getPrototypeOf(timeout), isRunning)
  watch<Timer>(Object.getPrototypeOf(immediate), isRunning)
  watch<Handle>(handlePrototype(), handle => handle.hasRef() !== undefined)

  // workers have it too
  const closed = new WeakSet<object>()
  watch(
    MessagePort.prototype,
    port => !closed.has(port),
    port => port.once('close', () => closed.add(port)),
  )

  /** Timers that are created without a reference never call `unref`. */
  const promised = timers as unknown as Record<
    'setTimeout' | 'setImmediate' | 'setInterval',
    (...given: unknown[]) => unknown
  >
  const isUnreferenced = (options: unknown): boolean =>
    isRun() && (options as { ref?: boolean } | undefined)?.ref === false
  for (const [name, place] of [
    ['setTimeout', 2],
    ['setImmediate', 1],
  ] as const) {
    const original = promised[name]
    promised[name] = (...given) => {
      const promise = original(...given) as Promise<unknown>
      if (!isUnreferenced(given[place])) return promise
      let pending = true
      const over = (): void => {
        pending = false
      }
      promise.then(over, over)
      note(promise, () => pending)
      return promise
    }
  }
  const interval = promised.setInterval
  promised.setInterval = (...given) => {
    const ticks = interval(...given) as AsyncGenerator<unknown>
    if (!isUnreferenced(given[2])) return ticks
    let going = false
    return {
      async next() {
        going = true
        note(ticks, () => going)
        return ticks.next()
      },
      async return(value: unknown) {
        going = false
        return ticks.return(value)
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
  syncBuiltinESMExports()

  return {
    any: () => noted.size > 0 && [...noted.values()].some(isThere => isThere()),
    forget: () => noted.clear(),
  }
}
