// Short messages at the edge of the page, read aloud too. What went wrong stays until it is closed.
import { createCell, useCell } from '../state/cell.ts'
import { useTexts } from '../texts/use-texts.ts'

export type ToastTone = 'good' | 'bad' | 'plain'
interface Toast {
  id: number
  text: string
  tone: ToastTone
}

const GOOD_MS = 6_000
const MOST = 4
const toasts = createCell<readonly Toast[]>([])
let count = 0

const close = (id: number): void => toasts.set(toasts.get().filter(toast => toast.id !== id))

/** Says it. Good news goes by itself. */
export const tell = (text: string, tone: ToastTone = 'plain'): void => {
  count += 1
  const id = count
  toasts.set([...toasts.get(), { id, text, tone }].slice(-MOST))
  if (tone !== 'bad') setTimeout(() => close(id), GOOD_MS)
}

export const Toasts = () => {
  const t = useTexts()
  return (
    <section class="toasts" aria-live="polite" aria-label={t.frame.messages}>
      {useCell(toasts).map(({ id, text, tone }) => (
        <div key={id} class={`toast ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
          <span>{text}</span>
          <button type="button" class="bare" aria-label={t.frame.close} onClick={() => close(id)}>
            ×
          </button>
        </div>
      ))}
    </section>
  )
}
