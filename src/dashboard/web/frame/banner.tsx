// What is away, on top of every page. It goes by itself when it is back.
import { useEffect, useState } from 'preact/hooks'
import { SafeText } from '../parts/safe-text.tsx'
import { pageAt } from '../paths.ts'
import { usePathname } from '../router.tsx'
import { useCell } from '../state/cell.ts'
import { health, liveState, reconnect } from '../state/live.ts'
import { useTexts } from '../texts/use-texts.ts'

/** A connection that breaks for a moment is no news. */
const PATIENCE_MS = 3_000

const useIsAway = (): boolean => {
  const isLive = useCell(liveState) === 'live'
  const [isAway, setAway] = useState(false)
  useEffect(() => {
    if (isLive) {
      setAway(false)
      return
    }
    const timer = setTimeout(() => setAway(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [isLive])
  return isAway
}

export const Banner = () => {
  const [t, isAway, known] = [useTexts(), useIsAway(), useCell(health)]
  const words = t.connection
  // the overview says the same with more words
  const isTold = pageAt(usePathname())?.name === 'overview'
  const troubles = isTold ? [] : (known?.troubles ?? [])
  return (
    <div class="banners" aria-live="polite">
      {isAway ? (
        <div class="banner bad" role="alert">
          <span>{words.dashboard}</span>
          <button type="button" class="bare underlined" onClick={reconnect}>
            {t.frame.again}
          </button>
        </div>
      ) : (
        troubles.map(({ part, status, reason }) => (
          <div key={part} class={`banner ${status === 'failed' ? 'bad' : 'warn'}`}>
            <strong>
              {(status === 'degraded' ? words.degraded[part] : undefined) ??
                words.parts[part] ??
                words.other(part)}
            </strong>
            <span class="banner-reason">
              <SafeText text={reason} />
            </span>
          </div>
        ))
      )}
    </div>
  )
}
