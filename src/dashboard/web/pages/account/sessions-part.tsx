// Where somebody is logged in with this account, and how a login is ended.
import { useMemo } from 'preact/hooks'
import { shownText } from '../../format/hidden-characters.ts'
import { doIt } from '../../frame/do-it.ts'
import { StateBadge } from '../../parts/badge.tsx'
import { NarrowLabel } from '../../parts/narrow-label.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { get, remove } from '../../state/api.ts'
import type { Me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

interface SessionRow {
  id: string
  createdAt: string
  expiresAt: string
  address: string | null
  agent: string | null
  /** The one that asks. */
  current: boolean
}

const useColumns = (again: () => void): Column<SessionRow>[] => {
  const [t, f] = [useTexts(), useFormats()]
  return useMemo(() => {
    const words = t.account.sessions
    const end = async (id: string): Promise<void> => {
      await doIt(t, () => remove(`/api/sessions/${id}`), words.ended)
      again()
    }
    return [
      {
        key: 'begun',
        head: words.columns.begun,
        isHead: true,
        cell: ({ createdAt, current }) => (
          <>
            <NarrowLabel text={words.columns.begun} />
            <Time at={createdAt} /> {current ? <StateBadge tone="good">{words.current}</StateBadge> : null}
          </>
        ),
      },
      {
        key: 'ends',
        head: words.columns.ends,
        cell: ({ expiresAt }) => (
          <>
            <NarrowLabel text={words.columns.ends} />
            <Time at={expiresAt} />
          </>
        ),
      },
      {
        key: 'address',
        head: words.columns.address,
        cell: ({ address }) => (
          <>
            <NarrowLabel text={words.columns.address} />
            {address === null ? '–' : <SafeText text={address} />}
          </>
        ),
      },
      {
        key: 'agent',
        head: words.columns.agent,
        isWrapped: true,
        cell: ({ agent }) => (
          <>
            <NarrowLabel text={words.columns.agent} />
            {agent === null ? '–' : <SafeText text={agent} />}
          </>
        ),
      },
      {
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        // the way out is the one of the frame
        cell: ({ id, createdAt, current }) =>
          current ? null : (
            <button
              type="button"
              class="button small"
              aria-label={shownText(words.endOf(f.time(Date.parse(createdAt))))}
              onClick={() => void end(id)}
            >
              {words.end}
            </button>
          ),
      },
    ]
  }, [t, f, again])
}

export const Sessions = ({ who }: { who: Me }) => {
  const words = useTexts().account.sessions
  const asked = useAsked('sessions', async signal => {
    const { sessions } = await get<{ sessions: SessionRow[] }>('/api/sessions', { signal })
    return sessions.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  })
  const columns = useColumns(asked.again)
  return (
    <>
      <h2 class="part-head">
        {words.title} <span class="soft">{who.isBuiltIn ? words.builtIn(who.account) : words.note}</span>
      </h2>
      <WhenAsked asked={asked}>
        {rows =>
          rows.length === 0 ? (
            <p class="soft page-line">{words.none}</p>
          ) : (
            <div class="stacked">
              <Table label={words.table} columns={columns} rows={rows} idOf={({ id }) => id} />
            </div>
          )
        }
      </WhenAsked>
    </>
  )
}
