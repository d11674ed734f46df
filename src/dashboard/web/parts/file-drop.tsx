// The place for a file: it is dropped there, or chosen, with the mouse or by the keyboard. The zone is the label of a
// real input, so it says what it is and works as one.
import { useState } from 'preact/hooks'
import { SafeText } from './safe-text.tsx'

export interface FileDropProps {
  id: string
  label: string
  /** What may be given. */
  hint: string
  /** As the attribute of an input has it. */
  accept?: string | undefined
  isDisabled?: boolean
  isInvalid?: boolean
  /** The id of what is said of it elsewhere. */
  describedBy?: string
  /** @param count how many were dropped: the first one counts */
  take: (file: File, count: number) => void
}

export const FileDrop = (props: FileDropProps) => {
  const { id, label, hint, accept, isDisabled = false, isInvalid = false, describedBy, take } = props
  const [isOver, setOver] = useState(false)
  const takeFirst = (files: FileList | null | undefined): void => {
    const [file] = files ?? []
    if (file && !isDisabled) take(file, files?.length ?? 1)
  }
  const classes = ['drop', isOver && !isDisabled ? 'over' : '', isDisabled ? 'disabled' : '']
  return (
    <label
      class={classes.filter(Boolean).join(' ')}
      for={id}
      onDragOver={event => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault()
        setOver(false)
        takeFirst(event.dataTransfer?.files)
      }}
    >
      <input
        id={id}
        type="file"
        class="unseen"
        accept={accept}
        disabled={isDisabled}
        aria-invalid={isInvalid || undefined}
        aria-describedby={describedBy}
        onChange={event => {
          takeFirst(event.currentTarget.files)
          // the same file may be chosen again
          event.currentTarget.value = ''
        }}
      />
      <strong>{label}</strong>
      <span class="soft">
        <SafeText text={hint} />
      </span>
    </label>
  )
}
