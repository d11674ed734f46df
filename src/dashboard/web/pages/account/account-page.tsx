// One's own account: who one is, the password, the logins and the keys.
import { PageHead } from '../../frame/page-head.tsx'
import { CopyButton } from '../../parts/copy.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { Time } from '../../parts/time.tsx'
import { useCell } from '../../state/cell.ts'
import { type Me, me } from '../../state/me.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { Keys } from './keys-part.tsx'
import { Password } from './password-part.tsx'
import { Sessions } from './sessions-part.tsx'

const Facts = ({ who }: { who: Me }) => {
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
  const [t, who] = [useTexts(), useCell(me)]
  return (
    <>
      <PageHead title={t.menu.account} />
      {who === null ? null : (
        <div class="account-parts">
          <Facts who={who} />
          <Password who={who} />
          <Sessions who={who} />
          <Keys who={who} />
        </div>
      )}
    </>
  )
}
