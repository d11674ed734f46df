// The password of one's own account, and where that of a built-in login is changed.
import { useState } from 'preact/hooks'
import { wordsOf } from '../../frame/do-it.ts'
import { tell } from '../../frame/toasts.tsx'
import { TextField } from '../../parts/form-field.tsx'
import { change, ProblemError } from '../../state/api.ts'
import type { Me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'

const NONE = { present: '', next: '', again: '' }
type Field = keyof typeof NONE

const Elsewhere = ({ who: { account } }: { who: Me }) => {
  const words = useTexts().account.password
  const isViewer = account === 'viewer'
  return (
    <>
      <p>{words.elsewhere(account)}</p>
      <ul class="ways">
        <li>
          <code>{isViewer ? 'DASHBOARD_VIEWER_PASSWORD' : 'DASHBOARD_PASSWORD'}</code>
        </li>
        <li>
          <code>node bin/reset-password.mjs{isViewer ? ' --viewer' : ''}</code>
        </li>
      </ul>
    </>
  )
}

const Form = ({ who }: { who: Me }) => {
  const t = useTexts()
  const words = t.account.password
  const [values, setValues] = useState(NONE)
  const [fault, setFault] = useState<{ field: Field; text: string } | null>(null)
  const [isSending, setSending] = useState(false)
  const put = (field: Field) => (value: string) => setValues(before => ({ ...before, [field]: value }))
  const faultOf = (field: Field): string | null => (fault?.field === field ? fault.text : null)

  const send = async (): Promise<void> => {
    if (isSending) return
    if (values.next !== values.again) return setFault({ field: 'again', text: words.differs })
    setSending(true)
    try {
      await change('PUT', '/api/me/password', { password: values.present, newPassword: values.next })
      setFault(null)
      setValues(NONE)
      tell(words.changed, 'good')
    } catch (error) {
      const code = error instanceof ProblemError ? error.code : ''
      if (code === 'LOGIN_WRONG') setFault({ field: 'present', text: wordsOf(t, error) })
      else if (code === 'PASSWORD_INVALID') setFault({ field: 'next', text: wordsOf(t, error) })
      else tell(wordsOf(t, error), 'bad')
    } finally {
      setSending(false)
    }
  }
  const input = (autocomplete: string) => ({
    type: 'password' as const,
    autocomplete,
    required: true,
    maxLength: 1000,
  })
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      {/* for those who keep passwords */}
      <input type="text" class="unseen" autocomplete="username" value={who.name} readOnly hidden />
      <TextField
        id="password-present"
        label={words.present}
        fault={faultOf('present')}
        value={values.present}
        change={put('present')}
        input={input('current-password')}
      />
      <TextField
        id="password-next"
        label={words.next}
        help={words.nextHelp}
        fault={faultOf('next')}
        value={values.next}
        change={put('next')}
        input={input('new-password')}
      />
      <TextField
        id="password-again"
        label={words.again}
        fault={faultOf('again')}
        value={values.again}
        change={put('again')}
        input={input('new-password')}
      />
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending}>
          {words.change}
        </button>
      </div>
    </form>
  )
}

/** @param isThere whether the account has a password; if not, its owner signs in by a provider */
export const Password = ({ who, isThere }: { who: Me; isThere: boolean }) => {
  const words = useTexts().account.password
  return (
    <section class="card block" aria-label={words.title}>
      <div class="block-head">
        <h2>{words.title}</h2>
      </div>
      {who.isBuiltIn ? <Elsewhere who={who} /> : isThere ? <Form who={who} /> : <p>{words.none}</p>}
    </section>
  )
}
