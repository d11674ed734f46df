// One's own account: who one is, the password, the logins and the keys.
import { PageHead } from '../../frame/page-head.tsx'
import { CopyButton } from '../../parts/copy.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { Time } from '../../parts/time.tsx'
import { get } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { type Me, me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { Keys } from './keys-part.tsx'
import { Password } from './password-part.tsx'
import { Sessions } from './sessions-part.tsx'

type Way = 'password' | 'oidc'

/** How the reader may log in; null until it is known. */
const useWays = (): readonly Way[] | null =>
  useAsked('ways', async signal => {
    const { account } = await get<{ account: { signIn: Way[] } | null }>('/api/me', { signal })
    return account?.signIn ?? []
  }).value

const Facts = ({ who, ways }: { who: Me; ways: readonly Way[] | null }) => {
  const t = useTexts()
  const words = t.account.facts
  return (
    <section aria-label={words.title}>
      <dl class="card facts">
        <div>
          <dt>{words.name}</dt>
          <dd>
            <SafeText text={who.name} />
          </dd>
        </div>
        <div>
          <dt>{words.role}</dt>
          <dd>
            {t.roles[who.role] ?? who.role} <span class="soft">{t.roleMeanings[who.role]}</span>
          </dd>
        </div>
        <div>
          <dt>{words.id}</dt>
          <dd>
            <code>{who.account}</code> <CopyButton text={who.account} />
          </dd>
        </div>
        <div>
          <dt>{words.ways}</dt>
          <dd>{(ways ?? []).map(way => words.way[way]).join(', ')}</dd>
        </div>
        <div>
          <dt>{words.ends}</dt>
          <dd>
            <Time at={who.sessionEndsAt} />
          </dd>
        </div>
      </dl>
    </section>
  )
}

export const AccountPage = () => {
  const [t, who, ways] = [useTexts(), useCell(me), useWays()]
  return (
    <>
      <PageHead title={t.menu.account} />
      {who === null ? null : (
        <div class="account-parts">
          <Facts who={who} ways={ways} />
          <Password who={who} isThere={ways?.includes('password') ?? true} />
          <Sessions who={who} />
          <Keys who={who} />
        </div>
      )}
    </>
  )
}
