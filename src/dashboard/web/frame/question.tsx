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

/** A question with something to choose beside it: the words at the box, which begins empty. */
export type QuestionWithChoice = Question & { choice: string }

type Answer = { yes: boolean; chosen: boolean }
const open = createCell<
  (Question & Partial<QuestionWithChoice> & { answer: (answer: Answer) => void }) | null
>(null)

const ask = (question: Question & Partial<QuestionWithChoice>): Promise<Answer> =>
  new Promise(resolve => {
    open.get()?.answer({ yes: false, chosen: false })
    open.set({
      ...question,
      answer: answer => {
        open.set(null)
        resolve(answer)
      },
    })
  })

/** Whether the reader says yes. A further question answers the one before with no. */
export const askReader = async (question: Question): Promise<boolean> => (await ask(question)).yes

/** Null: the reader says no. Else whether the box is ticked. */
export const askWithChoice = async (question: QuestionWithChoice): Promise<boolean | null> => {
  const { yes, chosen } = await ask(question)
  return yes ? chosen : null
}

export const QuestionDialog = () => {
  const question = useCell(open)
  const t = useTexts()
  const dialog = useRef<HTMLDialogElement>(null)
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (!question || !dialog.current || dialog.current.open) return
    // of the question before, if nothing was drawn between the two
    dialog.current.returnValue = ''
    dialog.current.showModal()
  }, [question])
  if (!question) return null
  const { title, quote, text, confirm, dismiss = t.frame.cancel, isDanger = false, choice, answer } = question
  // by its closing, which gives the focus back to where it was
  const decide = (yes: boolean): void => dialog.current?.close(yes ? 'yes' : '')
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="question-title"
      onClose={event =>
        answer({
          yes: event.currentTarget.returnValue === 'yes',
          chosen: box.current?.checked ?? false,
        })
      }
    >
      <h2 id="question-title">{title}</h2>
      {quote === undefined ? null : (
        <p class="dialog-quote">
          <SafeText text={quote} />
        </p>
      )}
      {text === undefined ? null : <p>{text}</p>}
      {choice === undefined ? null : (
        <label>
          <input type="checkbox" ref={box} /> {choice}
        </label>
      )}
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
