// The hook that does something again and again while its part of the page is shown and seen.
import { useEffect, useRef } from 'preact/hooks'

export const useEvery = (ms: number, act: () => void): void => {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current()
    }, ms)
    return () => clearInterval(timer)
  }, [ms])
}
