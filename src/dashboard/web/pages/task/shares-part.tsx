// Links that show this one task to whoever has them: made here, shown once, listed and withdrawn.
import { useState } from 'preact/hooks'
import { shownText } from '../../format/hidden-characters.ts'
import { doIt, wordsOf } from '../../frame/do-it.ts'
import { tell } from '../../frame/toasts.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ShownOnce } from '../../parts/shown-once.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { Time } from '../../parts/time.tsx'
import { get, post, remove } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

interface ShareRow {
  id: string
  /** Null: a stranger, or somebody whom the reader does not see. */
  by: string | null
  createdAt: string
  expiresAt: string
}

const DAY_SECONDS = 86_400
const LIVES = {
  hour: 3_600,
  day: DAY_SECONDS,
  week: 7 * DAY_SECONDS,
  month: 30 * DAY_SECONDS,
} as const
type Life = keyof typeof LIVES
const LIFE_NAMES = Object.keys(LIVES) as Life[]

/** The page of the dashboard: whoever gets a link wants to read, and the same address at the REST API is for programs. */
const linkOf = (token: string): string => `${location.origin}/shared/${token}`

const NewShare = ({ address, done }: { address: string; done: (link: string) => void }) => {
  const t = useTexts()
  const words = t.links
  const [life, setLife] = useState<Life>('day')
  const [isSending, setSending] = useState(false)
  const send = async (): Promise<void> => {
    if (isSending) return
    setSending(true)
    try {
      const { token } = await post<{ token: string }>(address, { body: { seconds: LIVES[life] } })
      done(linkOf(token))
    } catch (error) {
      tell(wordsOf(t, error), 'bad')
    } finally {
      setSending(false)
    }
  }
  return (
    <form
      class="share-form"
      aria-label={words.make}
      onSubmit={event => {
        event.preventDefault()
        void send()
      }}
    >
      <label for="share-life">{words.holds}</label>
      <select
        id="share-life"
        value={life}
        onChange={event => setLife(LIFE_NAMES.find(one => one === event.currentTarget.value) ?? 'day')}
      >
        {LIFE_NAMES.map(one => (
          <option key={one} value={one}>
            {words.lives[one]}
          </option>
        ))}
      </select>
      <button type="submit" class="button" disabled={isSending}>
        {words.make}
      </button>
    </form>
  )
}

export const Shares = ({ id }: { id: string }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.links
  const [made, setMade] = useState<string | null>(null)
  const address = `/api/task/${id}`
  const asked = useAsked(
    `shares ${id}`,
    async signal => (await get<{ shares: ShareRow[] }>(`${address}/shares`, { signal })).shares,
  )
  const withdraw = async (share: string): Promise<void> => {
    await doIt(t, () => remove(`${address}/share/${share}`), words.withdrawn)
    asked.again()
  }
  // who sees a task and may not change it makes no links; the server says who that is
  if (asked.problem?.status === 403 || asked.problem?.status === 404) return null
  return (
    <section class="card block" aria-label={words.title}>
      <div class="block-head">
        <h2>{words.title}</h2>
        <span class="soft">{words.note}</span>
      </div>
      {made === null ? null : (
        <ShownOnce title={words.made} text={made} note={words.once} close={() => setMade(null)} />
      )}
      <NewShare
        address={`${address}/share`}
        done={link => {
          setMade(link)
          asked.again()
        }}
      />
      <WhenAsked asked={asked}>
        {shares =>
          shares.length === 0 ? (
            <p class="soft">{words.none}</p>
          ) : (
            <ul class="shares">
              {shares.map(share => (
                <li key={share.id} data-id={share.id}>
                  <span>
                    {words.until} <Time at={share.expiresAt} />{' '}
                    <span class="soft">
                      · {words.madeAt} <Time at={share.createdAt} />
                      {share.by === null ? null : (
                        <>
                          {' '}
                          · <SafeText text={share.by} />
                        </>
                      )}
                    </span>
                  </span>
                  <button
                    type="button"
                    class="button small danger"
                    aria-label={shownText(words.withdrawOf(f.time(Date.parse(share.createdAt))))}
                    onClick={() => void withdraw(share.id)}
                  >
                    {words.withdraw}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </WhenAsked>
    </section>
  )
}
