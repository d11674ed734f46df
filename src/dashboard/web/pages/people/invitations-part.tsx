// Invitations: made here, shown once as a link, listed and withdrawn.
import { useMemo, useState } from 'preact/hooks'
import { shownText } from '../../format/hidden-characters.ts'
import { doIt } from '../../frame/do-it.ts'
import { NarrowLabel } from '../../parts/narrow-label.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ShownOnce } from '../../parts/shown-once.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { get, remove } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { InvitationForm } from './invitation-form.tsx'

interface InvitationRow {
  id: string
  role: string
  note: string | null
  by: string
  createdAt: string
  expiresAt: string
}

const linkOf = (invitation: string): string =>
  `${location.origin}/register?${new URLSearchParams({ invitation })}`

const useColumns = (again: () => void): Column<InvitationRow>[] => {
  const t = useTexts()
  return useMemo(() => {
    const words = t.people.invitations
    const withdraw = async (id: string): Promise<void> => {
      await doIt(t, () => remove(`/api/invitations/${id}`), words.withdrawn)
      again()
    }
    return [
      {
        key: 'note',
        head: words.columns.note,
        isHead: true,
        cell: ({ note }) =>
          note === null ? <span class="soft">{words.noNote}</span> : <SafeText text={note} />,
      },
      {
        key: 'role',
        head: words.columns.role,
        cell: ({ role }) => (
          <>
            <NarrowLabel text={words.columns.role} />
            {t.roles[role] ?? role}
          </>
        ),
      },
      {
        key: 'by',
        head: words.columns.by,
        cell: ({ by }) => (
          <>
            <NarrowLabel text={words.columns.by} />
            <SafeText text={by} />
          </>
        ),
      },
      {
        key: 'created',
        head: words.columns.created,
        isMinor: true,
        cell: ({ createdAt }) => <Time at={createdAt} />,
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
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        cell: ({ id, note }) => (
          <button
            type="button"
            class="button small danger"
            aria-label={words.withdrawOf(shownText(note ?? words.noNote))}
            onClick={() => void withdraw(id)}
          >
            {words.withdraw}
          </button>
        ),
      },
    ]
  }, [t, again])
}

export const Invitations = () => {
  const t = useTexts()
  const words = t.people.invitations
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<string | null>(null)
  const asked = useAsked(
    'invitations',
    async signal => (await get<{ invitations: InvitationRow[] }>('/api/invitations', { signal })).invitations,
  )
  const columns = useColumns(asked.again)
  return (
    <>
      <h2 class="part-head">
        {words.title} <span class="soft">{words.note}</span>
      </h2>
      {made === null ? null : (
        <ShownOnce title={words.made} text={linkOf(made)} note={words.once} close={() => setMade(null)} />
      )}
      {isMaking ? (
        <InvitationForm
          close={() => setMaking(false)}
          done={invitation => {
            setMade(invitation)
            setMaking(false)
            asked.again()
          }}
        />
      ) : (
        <p class="page-line">
          <button type="button" class="button" onClick={() => setMaking(true)}>
            {words.make}
          </button>
        </p>
      )}
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
