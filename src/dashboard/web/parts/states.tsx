// What a page shows while it has nothing else to show: loading, nothing there, an error.
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ProblemError } from '../state/api.ts'
import type { Asked } from '../state/use-asked.ts'
import { useTexts } from '../texts/use-texts.ts'
import { SafeText } from './safe-text.tsx'

/** A quick answer needs no sign that it is awaited. */
const PATIENCE_MS = 400

export const Loading = () => {
  const t = useTexts()
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [])
  return (
    <p class="state-line" role="status">
      {isSlow ? `${t.frame.loading} …` : ''}
    </p>
  )
}

export const Empty = ({ text, children }: { text?: string; children?: ComponentChildren }) => {
  const t = useTexts()
  return (
    <div class="empty">
      <p>{text ?? t.frame.empty}</p>
      {children}
    </div>
  )
}

/** In the reader's language where the code is known; the server's own words behind it. */
export const ProblemNote = ({ problem, again }: { problem: ProblemError; again?: () => void }) => {
  const t = useTexts()
  const words = t.problems[problem.code]
  return (
    <div class="note bad" role="alert">
      <p>
        {words === undefined ? null : <strong>{words} </strong>}
        {words === undefined || problem.code !== 'AWAY' ? <SafeText text={problem.message} /> : null}
      </p>
      {problem.problems.map(({ path, problem: fault }) => (
        <p key={path}>
          <code>
            <SafeText text={path} />
          </code>{' '}
          <SafeText text={fault} />
        </p>
      ))}
      {again ? (
        <button type="button" class="button" onClick={again}>
          {t.frame.again}
        </button>
      ) : null}
    </div>
  )
}

/** The usual three states around an answer. With an older answer at hand, that stays and the error stands above. */
export const WhenAsked = <T,>({
  asked,
  children,
}: {
  asked: Asked<T>
  children: (value: T) => ComponentChildren
}) => (
  <>
    {asked.problem ? <ProblemNote problem={asked.problem} again={asked.again} /> : null}
    {asked.value !== null ? children(asked.value) : asked.problem ? null : <Loading />}
  </>
)
