// An answer of the server as state: asked for when its key changes, and again on request; the last one stays on the
// page while a new one is under way.
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ProblemError } from './api.ts'

export interface Asked<T> {
  /** Null before the first answer to this key. */
  value: T | null
  /** Why the last try failed; null when it did not. */
  problem: ProblemError | null
  isLoading: boolean
  again(): void
  /** Changes what is shown, when the page knows better than the last answer. */
  change(with_: (value: T) => T): void
}

/** @param key what the answer depends on; the value of another key is never shown */
export const useAsked = <T>(key: string, load: (signal: AbortSignal) => Promise<T>): Asked<T> => {
  const [state, setState] = useState<{
    key: string
    value: T | null
    problem: ProblemError | null
    isLoading: boolean
  }>({ key, value: null, problem: null, isLoading: true })
  const [turn, setTurn] = useState(0)
  const loader = useRef(load)
  loader.current = load

  // `turn` asks again. It does not wait for the page to be painted first
  useLayoutEffect(() => {
    const leaving = new AbortController()
    setState(before => ({
      key,
      value: before.key === key ? before.value : null,
      problem: before.key === key ? before.problem : null,
      isLoading: true,
    }))
    loader.current(leaving.signal).then(
      value => {
        if (!leaving.signal.aborted) setState({ key, value, problem: null, isLoading: false })
      },
      (error: unknown) => {
        if (leaving.signal.aborted) return
        const problem =
          error instanceof ProblemError
            ? error
            : new ProblemError({ code: 'INTERNAL', status: 0, detail: String(error) })
        setState(before => ({ ...before, problem, isLoading: false }))
      },
    )
    return () => leaving.abort()
  }, [key, turn])

  const again = useCallback(() => setTurn(count => count + 1), [])
  const change = useCallback(
    (with_: (value: T) => T) =>
      setState(before => (before.value === null ? before : { ...before, value: with_(before.value) })),
    [],
  )
  const isCurrent = state.key === key
  return {
    value: isCurrent ? state.value : null,
    problem: isCurrent ? state.problem : null,
    isLoading: !isCurrent || state.isLoading,
    again,
    change,
  }
}
