// How far something is: a bar, and the number beside it.
import { useFormats, useTexts } from '../texts/use-texts.ts'

/** @param note what stands behind the number, such as the time left */
export const Progress = ({ percent, note }: { percent: number; note?: string | undefined }) => {
  const [t, f] = [useTexts(), useFormats()]
  const bounded = Math.min(100, Math.max(0, percent))
  const text = f.percent(bounded, bounded > 0 && bounded < 10 ? 1 : 0)
  return (
    <span class="progress">
      <progress max={100} value={bounded} aria-label={t.status.progress(text)} />
      <span class="progress-text">
        {text}
        {note === undefined ? null : ` · ${note}`}
      </span>
    </span>
  )
}
