// What of the log is shown: which of the two, from which level, with which text; and pause.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Link } from '../../router.tsx'
import { useTexts } from '../../texts/use-texts.ts'
import { LEVELS, VIEWS, type View } from './log-types.ts'

/** A search asks the server; it waits until the reader has typed. */
const TYPING_MS = 300

export interface LogBarProps {
  view: View
  level: string | null
  search: string | null
  /** Null: nothing is followed, so there is nothing to pause. */
  isPaused: boolean | null
  waiting: number
  /** The address of a view. */
  linkTo: (view: View) => string
  setLevel: (level: string | null) => void
  setSearch: (search: string | null) => void
  setPaused: (isPaused: boolean) => void
}

export const LogBar = ({
  view,
  level,
  search,
  isPaused,
  waiting,
  linkTo,
  setLevel,
  setSearch,
  setPaused,
}: LogBarProps) => {
  const words = useTexts().log
  const [typed, setTyped] = useState(search ?? '')
  const sent = useRef(search ?? '')
  useEffect(() => {
    // the way back leads to another search
    if ((search ?? '') !== sent.current) setTyped(search ?? '')
    sent.current = search ?? ''
  }, [search])
  useEffect(() => {
    if (typed === sent.current) return
    const timer = setTimeout(() => {
      sent.current = typed
      setSearch(typed === '' ? null : typed)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <div class="log-bar">
      <nav class="tabs" aria-label={words.streamsLabel}>
        {VIEWS.map(each => (
          <Link key={each} href={linkTo(each)} {...(each === view ? { 'aria-current': 'page' } : {})}>
            {words.streams[each]}
          </Link>
        ))}
      </nav>
      <input
        id="log-search"
        type="search"
        maxLength={200}
        aria-label={words.search}
        placeholder={words.search}
        value={typed}
        onInput={event => setTyped(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key !== 'Escape') return
          // the browser would empty the field and say nothing of it
          event.preventDefault()
          if (typed === '') event.currentTarget.blur()
          else setTyped('')
        }}
      />
      {view === 'out' ? (
        <select
          aria-label={words.level}
          value={level ?? ''}
          onChange={event => setLevel(event.currentTarget.value || null)}
        >
          <option value="">{words.anyLevel}</option>
          {LEVELS.map(each => (
            <option key={each} value={each}>
              {words.fromLevel(each)}
            </option>
          ))}
        </select>
      ) : null}
      {isPaused === null ? null : (
        <button type="button" class="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? words.resume : words.pause}
        </button>
      )}
      <span class="soft small" role="status">
        {isPaused && waiting > 0 ? words.waiting(waiting) : ''}
      </span>
    </div>
  )
}
