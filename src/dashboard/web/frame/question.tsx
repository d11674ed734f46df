// A question before something that cannot be taken back: with what is meant, how many, and what follows.
import { useEffect, useRef } from 'preact/hooks'
import { SafeText } from '../parts/safe-text.tsx'
import { createCell, useCell } from '../state/cell.ts'
import { useTexts } from '../texts/use-texts.ts'

export interface Question {
  /** The question itself, with its number: "Delete 4,312 tasks?" */
  title: string
  /** Words of others that say what is meant: an error's message. */
  quote?: string
  /** What follows from it. */
  text?: string
  /** The words of the button that does it. */
  confirm: string
  /** The words of the button that does nothing, where "Cancel" would be what it does. */
  dismiss?: string
  /** It is red, and does not have the focus. */
  isDanger?: boolean
}

const open = createCell<(Question & { answer: (yes: boolean) => void }) | null>(null)

/** Whether the reader says yes. A further question answers the one before with no. */
export const askReader = (question: Question): Promise<boolean> =>
  new Promise(resolve => {
    open.get()?.answer(false)
    open.set({
      ...question,
      answer: yes => {
        open.set(null)
        resolve(yes)
      },
    })
  })

export const QuestionDialog = () => {
  const question = useCell(open)
  const t = useTexts()
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (!question || !dialog.current || dialog.current.open) return
    // of the question before, if nothing was drawn between the two
    dialog.current.returnValue = ''
    dialog.current.showModal()
  }, [question])
  if (!question) return null
  const { title, quote, text, confirm, dismiss = t.frame.cancel, isDanger = false, answer } = question
  // by its closing, which gives the focus back to where it was
  const decide = (yes: boolean): void => dialog.current?.close(yes ? 'yes' : '')
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="question-title"
      onClose={event => answer(event.currentTarget.returnValue === 'yes')}
    >
      <h2 id="question-title">{title}</h2>
      {quote === undefined ? null : (
        <p class="dialog-quote">
          <SafeText text={quote} />
        </p>
      )}
      {text === undefined ? null : <p>{text}</p>}
      <div class="dialog-buttons">
        <button type="button" class="button" autofocus={isDanger} onClick={() => decide(false)}>
          {dismiss}
        </button>
        <button
          type="button"
          class={isDanger ? 'button danger' : 'button primary'}
          autofocus={!isDanger}
          onClick={() => decide(true)}
        >
          {confirm}
        </button>
      </div>
    </dialog>
  )
}
