// Why a task waits, since when, and when it is likely to start: asked anew while it waits.
import { useEffect } from 'preact/hooks'
import type { Task, Waiting } from '../../../../client/task.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { RelativeTime, Time } from '../../parts/time.tsx'
import { positionInWords, startInWords, whyInWords } from '../../parts/waiting-words.ts'
import { pageAt } from '../../paths.ts'
import { Link } from '../../router.tsx'
import { get } from '../../state/api.ts'
import { useRights } from '../../state/rights.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

const EVERY_MS = 3_000

/** Where more is said about the reason, or something can be done. */
const PLACES: Readonly<Record<string, '/processes' | '/workers' | '/kinds'>> = {
  NO_WORKER: '/processes',
  NO_ROOM: '/workers',
  KIND_UNKNOWN: '/kinds',
  KIND_FULL: '/kinds',
  RATE: '/kinds',
  BEHIND: '/workers',
}

/** Is there while the task waits. */
export const WaitingNote = ({ task }: { task: Task }) => {
  const [t, f, rights] = [useTexts(), useFormats(), useRights()]
  const asked = useAsked(task.id, signal => get<Waiting>(`/api/task/${task.id}/why`, { signal }))
  const { again } = asked
  useEffect(() => {
    again()
    const timer = setInterval(() => {
      if (!document.hidden) again()
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [again, task.claim, task.rev])
  const waiting = asked.value
  // an error here is one of the store or of the connection, and the banner says it
  if (!waiting) return null
  const { reason, facts, since } = waiting
  const place = PLACES[reason]
  const needs = place && pageAt(place)?.needs
  const to = needs && rights.includes(needs) ? place : undefined
  const [position, start] = [positionInWords(waiting, t), startInWords(waiting, t, f)]
  return (
    <section class="note waiting-note" aria-label={t.why.title}>
      <p>
        <strong>{t.why.title}</strong> <code>{reason}</code>{' '}
        <span class="soft">
          {t.why.since} <Time at={since} /> · <RelativeTime at={since} />
        </span>
      </p>
      <p role="status">{whyInWords(waiting, t, f)}</p>
      {facts.trouble === undefined ? null : (
        <p>
          <SafeText text={facts.trouble} />
        </p>
      )}
      <p>
        {[position, start].filter(part => part !== null).join(' ')}{' '}
        {to === undefined ? null : <Link href={to}>{t.why.places[to]}</Link>}
      </p>
    </section>
  )
}
