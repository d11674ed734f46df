// A secret that the server shows once: in full, to be copied, until the reader puts it away.
import { useEffect, useRef } from 'preact/hooks'
import { useTexts } from '../texts/use-texts.ts'
import { CopyButton } from './copy.tsx'
import { SafeText } from './safe-text.tsx'

export interface ShownOnceProps {
  title: string
  text: string
  /** What to do with it. */
  note: string
  close: () => void
}

export const ShownOnce = ({ title, text, note, close }: ShownOnceProps) => {
  const t = useTexts()
  const place = useRef<HTMLElement>(null)
  // what it answers to is gone, and the eyes should be here
  useEffect(() => place.current?.focus(), [text])
  return (
    <section ref={place} class="note shown-once" tabIndex={-1} aria-label={title}>
      <p>
        <strong>
          <SafeText text={title} />
        </strong>
      </p>
      <p>
        <code class="secret">{text}</code>
      </p>
      <p>{note}</p>
      <p class="form-foot">
        <CopyButton text={text} />
        <button type="button" class="bare underlined" onClick={close}>
          {t.frame.close}
        </button>
      </p>
    </section>
  )
}
