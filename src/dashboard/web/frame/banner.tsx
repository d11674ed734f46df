// What is away, on top of every page. It goes by itself when it is back.
import { useEffect, useState } from 'preact/hooks'
import { SafeText } from '../parts/safe-text.tsx'
import { pageAt } from '../paths.ts'
import { Link, usePathname } from '../router.tsx'
import type { Trouble } from '../state/answers.ts'
import { useCell } from '../state/cell.ts'
import { health, liveState, reconnect } from '../state/live.ts'
import { troubles } from '../state/overview.ts'
import { useMay } from '../state/rights.ts'
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

/** The codes of what the overview says of a part; a role stands in the parameters. */
const CODES: Readonly<Record<string, string>> = {
  STORE_AWAY: 'store',
  STORE_FULL: 'store',
  QUEUE_AWAY: 'queue',
  SUPERVISOR_AWAY: 'supervisor',
  KIND_IN_TROUBLE: 'kinds',
  NO_WORKER: 'worker',
}
const partOf = ({ code, params }: Trouble): unknown =>
  code === 'ROLE_AWAY' ? params.role : code === 'CRASH_LOOP' ? params.process : CODES[code]

export const Banner = () => {
  const [t, isAway, known, told] = [useTexts(), useIsAway(), useCell(health), useCell(troubles)]
  /** As on the overview, which knows more: a process that is stopped is worse than one that is late. */
  const isBad = (part: string, status: string): boolean =>
    (told?.find(trouble => partOf(trouble) === part)?.level ?? (status === 'failed' ? 'error' : '')) ===
    'error'
  const words = t.connection
  const seesOverview = useMay('look')
  // the overview says the same with more words
  const isTold = pageAt(usePathname())?.name === 'overview'
  const shown = isTold ? [] : (known?.troubles ?? [])
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
        shown.map(({ part, status, reason }) => (
          <div key={part} class={`banner ${isBad(part, status) ? 'bad' : 'warn'}`}>
            <strong>
              {(status === 'degraded' ? words.degraded[part] : undefined) ??
                words.parts[part] ??
                words.other(part)}
            </strong>
            <span class="banner-reason">
              <SafeText text={reason} />
            </span>
            {seesOverview ? (
              <Link class="underlined" href="/">
                {words.more}
              </Link>
            ) : null}
          </div>
        ))
      )}
    </div>
  )
}
