// What is wrong right now, in words, each with the one thing to do about it; or a quiet line when all is well.
import { SafeText } from '../../parts/safe-text.tsx'
import { Link } from '../../router.tsx'
import type { Overview } from '../../state/answers.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { wordsOf } from './trouble-words.ts'

export const Troubles = ({ overview }: { overview: Overview }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.overview
  return (
    <section class="troubles" aria-label={words.now} aria-live="polite">
      {overview.troubles.length === 0 ? (
        <p class="all-well">{words.well}</p>
      ) : (
        <ul>
          {overview.troubles.map(trouble => {
            const { text, detail, action } = wordsOf(trouble, overview, t, f)
            return (
              <li key={JSON.stringify([trouble.code, trouble.params])} class={`trouble ${trouble.level}`}>
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
                <Link class="trouble-action" href={trouble.link}>
                  {action}
                </Link>
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}
