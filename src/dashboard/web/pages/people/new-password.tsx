// An admin gives somebody a new password.
import { useState } from 'preact/hooks'
import { wordsOf } from '../../frame/do-it.ts'
import { tell } from '../../frame/toasts.tsx'
import { TextField } from '../../parts/form-field.tsx'
import { change, ProblemError } from '../../state/api.ts'
import { useTexts } from '../../texts/use-texts.ts'
import type { AccountRow } from './account-columns.tsx'

export const NewPassword = ({ account: { id, name }, close }: { account: AccountRow; close: () => void }) => {
  const t = useTexts()
  const words = t.people
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<string | null>(null)
  const [isSending, setSending] = useState(false)
  const send = async (): Promise<void> => {
    if (isSending) return
    setSending(true)
    try {
      await change('PATCH', `/api/accounts/${encodeURIComponent(id)}`, { password })
      tell(words.changed(name), 'good')
      close()
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'PASSWORD_INVALID') setFault(wordsOf(t, error))
      else tell(wordsOf(t, error), 'bad')
      setSending(false)
    }
  }
  return (
    <form
      class="card block"
      aria-label={words.newPasswordOf(name)}
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      <TextField
        id="new-password"
        label={words.newPasswordOf(name)}
        help={words.passwordHelp}
        fault={fault}
        value={password}
        change={setPassword}
        input={{
          type: 'password',
          autocomplete: 'new-password',
          required: true,
          maxLength: 1000,
          autofocus: true,
        }}
      />
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending}>
          {words.setPassword}
        </button>
        <button type="button" class="button" onClick={close}>
          {t.frame.cancel}
        </button>
      </div>
    </form>
  )
}
