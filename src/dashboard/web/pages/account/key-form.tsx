// The form of a new key: what it is for, what it may do, and how long.
import { useState } from 'preact/hooks'
import { wordsOf } from '../../frame/do-it.ts'
import { tell } from '../../frame/toasts.tsx'
import { FormField, TextField } from '../../parts/form-field.tsx'
import { post } from '../../state/api.ts'
import { useKinds } from '../../state/kinds.ts'
import { useTexts } from '../../texts/use-texts.ts'

export interface MadeKey {
  name: string
  /** Shown this once. */
  key: string
}

const DAY_MS = 86_400_000
const LIVES = { never: null, day: 1, month: 30, quarter: 90, year: 365 } as const
type Life = keyof typeof LIVES
const LIFE_NAMES = Object.keys(LIVES) as Life[]

/** Null: every kind. */
const kindsIn = (text: string): string[] | null => {
  const kinds = text.split(/[\s,]+/).filter(Boolean)
  return kinds.length === 0 ? null : kinds
}

export const KeyForm = ({
  scopes,
  done,
  close,
}: {
  /** What the account itself may do. */
  scopes: readonly string[]
  done: (key: MadeKey) => void
  close: () => void
}) => {
  const t = useTexts()
  const words = t.account.keys
  const known = useKinds().value?.kinds.map(({ name }) => name) ?? []
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>(['read'])
  const [kinds, setKinds] = useState('')
  const [own, setOwn] = useState(false)
  const [life, setLife] = useState<Life>('quarter')
  const [isSending, setSending] = useState(false)

  const send = async (): Promise<void> => {
    if (isSending || chosen.length === 0) return
    setSending(true)
    const days = LIVES[life]
    const expiresAt = days === null ? null : new Date(Date.now() + days * DAY_MS).toISOString()
    const body = {
      name,
      scopes: scopes.filter(scope => chosen.includes(scope)),
      kinds: kindsIn(kinds),
      own,
      expiresAt,
    }
    try {
      done(await post<MadeKey>('/api/keys', { body }))
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
      <TextField
        id="key-name"
        label={words.name}
        help={words.nameHelp}
        value={name}
        change={setName}
        input={{ required: true, maxLength: 100, autofocus: true, autocomplete: 'off' }}
      />
      <fieldset class="field-group">
        <legend>{words.scopes}</legend>
        {scopes.map(scope => (
          <label key={scope} class="check scope">
            <input
              type="checkbox"
              checked={chosen.includes(scope)}
              onChange={() =>
                setChosen(chosen.includes(scope) ? chosen.filter(one => one !== scope) : [...chosen, scope])
              }
            />
            <code>{scope}</code> <span class="soft">{words.scopeMeanings[scope]}</span>
          </label>
        ))}
        <span class="field-help">
          <span class="field-fault" role="alert">
            {chosen.length === 0 ? words.needsScope : ''}
          </span>
        </span>
      </fieldset>
      <TextField
        id="key-kinds"
        label={words.kinds}
        help={words.kindsHelp(known.join(', '))}
        value={kinds}
        change={setKinds}
        input={{ autocomplete: 'off', spellcheck: false }}
      />
      <FormField id="key-own" label={words.own}>
        {parts => (
          <input
            {...parts}
            type="checkbox"
            checked={own}
            onChange={event => setOwn(event.currentTarget.checked)}
          />
        )}
      </FormField>
      <FormField id="key-ends" label={words.ends}>
        {parts => (
          <select
            {...parts}
            value={life}
            onChange={event => setLife(LIFE_NAMES.find(one => one === event.currentTarget.value) ?? 'never')}
          >
            {LIFE_NAMES.map(one => (
              <option key={one} value={one}>
                {words.lives[one]}
              </option>
            ))}
          </select>
        )}
      </FormField>
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending || chosen.length === 0}>
          {words.submit}
        </button>
        <button type="button" class="button" onClick={close}>
          {t.frame.cancel}
        </button>
      </div>
    </form>
  )
}
