// For admins: the accounts, and the invitations to make one.
import { useState } from 'preact/hooks'
import { PageHead } from '../../frame/page-head.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { Table } from '../../parts/table.tsx'
import { useQuery } from '../../router.tsx'
import { get } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { type AccountRow, useAccountColumns } from './account-columns.tsx'
import { Invitations } from './invitations-part.tsx'
import { NewPassword } from './new-password.tsx'

const LIMIT = 100

export const PeoplePage = () => {
  const t = useTexts()
  const words = t.people
  const [query, change] = useQuery()
  const cursor = query.get('cursor')
  const [ofPassword, setOfPassword] = useState<AccountRow | null>(null)
  const asked = useAsked(`people ${cursor}`, signal =>
    get<{ accounts: AccountRow[]; next: string | null }>('/api/accounts', {
      query: { limit: LIMIT, cursor },
      signal,
    }),
  )
  const columns = useAccountColumns({
    self: useCell(me)?.account ?? null,
    again: asked.again,
    givePassword: setOfPassword,
  })
  const list = asked.value
  return (
    <div class="people-parts">
      <PageHead
        title={t.menu.people}
        note={list && cursor === null ? words.count(list.accounts.length, list.next !== null) : undefined}
      />
      {ofPassword === null ? null : (
        <NewPassword key={ofPassword.id} account={ofPassword} close={() => setOfPassword(null)} />
      )}
      <WhenAsked asked={asked}>
        {({ accounts, next }) => (
          <>
            <div class="stacked">
              <Table label={words.table} columns={columns} rows={accounts} idOf={({ id }) => id} />
            </div>
            {cursor === null && next === null ? null : (
              <nav class="pager" aria-label={words.table}>
                {cursor === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: null })}>
                    {words.first}
                  </button>
                )}
                {next === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: next })}>
                    {words.more} →
                  </button>
                )}
              </nav>
            )}
          </>
        )}
      </WhenAsked>
      <Invitations />
    </div>
  )
}
