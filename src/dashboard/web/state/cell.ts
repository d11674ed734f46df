// A value that others are told of when it changes, and the hook that draws with it.
import { useEffect, useState } from 'preact/hooks'

export interface Cell<T> {
  get(): T
  set(value: T): void
  /** Returns what ends it. */
  subscribe(told: () => void): () => void
}

export const createCell = <T>(first: T): Cell<T> => {
  let value = first
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const told of [...listeners]) told()
    },
    subscribe(told) {
      listeners.add(told)
      return () => listeners.delete(told)
    },
  }
}

/** The value now; the component is drawn again whenever it changes. */
export const useCell = <T>(cell: Cell<T>): T => {
  const [value, setValue] = useState(() => ({ of: cell.get() }))
  useEffect(() => {
    const take = (): void =>
      setValue(before => (Object.is(before.of, cell.get()) ? before : { of: cell.get() }))
    take()
    return cell.subscribe(take)
  }, [cell])
  return value.of
}
