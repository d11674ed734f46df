// The form of a new invitation: the role, for whom, and how long.
import { useState } from 'preact/hooks'
import { wordsOf } from '../../frame/do-it.ts'
import { tell } from '../../frame/toasts.tsx'
import { FormField, TextField } from '../../parts/form-field.tsx'
import { post } from '../../state/api.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { ROLES } from './account-columns.tsx'

const DAY_SECONDS = 86_400

export const InvitationForm = ({
  done,
  close,
}: {
  /** With the invitation, which is shown this once. */
  done: (invitation: string) => void
  close: () => void
}) => {
  const t = useTexts()
  const words = t.people.invitations
  const [role, setRole] = useState<string>('user')
  const [note, setNote] = useState('')
  const [days, setDays] = useState('7')
  const [isSending, setSending] = useState(false)
  const send = async (): Promise<void> => {
    if (isSending) return
    setSending(true)
    const body = { role, note: note.trim() || null, seconds: Number(days) * DAY_SECONDS }
    try {
      done((await post<{ invitation: string }>('/api/invitations', { body })).invitation)
    } catch (error) {
      tell(wordsOf(t, error), 'bad')
      setSending(false)
    }
  }
  return (
    <form
      class="card block"
      aria-label={words.make}
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      <FormField id="invitation-role" label={words.role} help={t.roleMeanings[role] ?? ''}>
        {parts => (
          <select {...parts} autofocus value={role} onChange={event => setRole(event.currentTarget.value)}>
            {ROLES.map(one => (
              <option key={one} value={one}>
                {t.roles[one]}
              </option>
            ))}
          </select>
        )}
      </FormField>
      <TextField
        id="invitation-note"
        label={words.noteField}
        help={words.noteHelp}
        value={note}
        change={setNote}
        input={{ maxLength: 200, autocomplete: 'off' }}
      />
      <TextField
        id="invitation-days"
        label={words.days}
        help={words.daysHelp}
        value={days}
        change={setDays}
        input={{ type: 'number', min: 1, max: 90, step: 1, required: true }}
      />
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending}>
          {words.submit}
        </button>
        <button type="button" class="button" onClick={close}>
          {t.frame.cancel}
        </button>
      </div>
    </form>
  )
}
