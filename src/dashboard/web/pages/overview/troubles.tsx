// What is wrong right now, in words, each with the one thing to do about it; or a quiet line when all is well.
import { SafeText } from '../../parts/safe-text.tsx'
import { useNearFocus } from '../../parts/use-near-focus.ts'
import { Link } from '../../router.tsx'
import type { Overview, Trouble } from '../../state/answers.ts'
import { useCell } from '../../state/cell.ts'
import { mayOrder, me } from '../../state/me.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { giveOrder, pendingOrders } from '../processes/orders.ts'
import { type TroubleWords, wordsOf } from './trouble-words.ts'

/** Without its numbers, which change while it is the same: what has the focus would be made anew. */
const keyOf = ({ code, params }: Trouble): string =>
  JSON.stringify([code, ...Object.values(params).filter(value => typeof value === 'string')])

const StartButton = ({ name, text }: NonNullable<TroubleWords['start']>) => {
  const [t, pending] = [useTexts(), useCell(pendingOrders)]
  const isBusy = pending.has(name) || pending.has('')
  // not `disabled`, which would lose the focus
  return (
    <button
      type="button"
      class="button small trouble-action"
      aria-disabled={isBusy}
      onClick={() => {
        if (!isBusy) void giveOrder(t, { action: 'start', name, rows: [] })
      }}
    >
      {text}
    </button>
  )
}

export const Troubles = ({ overview }: { overview: Overview }) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const { near, onFocusCapture } = useNearFocus<HTMLElement>()
  const words = t.overview
  return (
    <section
      ref={near}
      class="troubles"
      aria-label={words.now}
      aria-live="polite"
      tabIndex={-1}
      onFocusCapture={onFocusCapture}
    >
      {overview.troubles.length === 0 ? (
        <p class="all-well">{words.well}</p>
      ) : (
        <ul>
          {overview.troubles.map(trouble => {
            const { text, detail, action, start } = wordsOf(trouble, overview, t, f)
            return (
              <li key={keyOf(trouble)} class={`trouble ${trouble.level}`}>
                <span class="trouble-words">
                  <strong>
                    <SafeText text={text} />
                  </strong>{' '}
                  {detail === null ? null : (
                    <span class="trouble-detail">
                      <SafeText text={detail} />
                    </span>
                  )}
                </span>
                {start && mayOrder(who) ? (
                  <StartButton {...start} />
                ) : (
                  <Link class="trouble-action" href={trouble.link}>
                    {action}
                  </Link>
                )}
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}
