// The keys of one's own account: what each may do, and how one is made and revoked.
import { useMemo, useState } from 'preact/hooks'
import { shownText } from '../../format/hidden-characters.ts'
import { doIt } from '../../frame/do-it.ts'
import { askReader } from '../../frame/question.tsx'
import { NarrowLabel } from '../../parts/narrow-label.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ShownOnce } from '../../parts/shown-once.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { get, remove } from '../../state/api.ts'
import type { Me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { KeyForm, type MadeKey } from './key-form.tsx'

interface KeyRow {
  id: string
  name: string
  scopes: string[]
  /** Null: every kind. */
  kinds: string[] | null
  own: boolean
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
}

const useColumns = (again: () => void): Column<KeyRow>[] => {
  const t = useTexts()
  return useMemo(() => {
    const words = t.account.keys
    const revoke = async ({ id, name }: KeyRow): Promise<void> => {
      const question = { title: words.ask(shownText(name)), text: words.askText, confirm: words.revoke }
      if (!(await askReader({ ...question, isDanger: true }))) return
      await doIt(t, () => remove(`/api/keys/${id}`), words.revoked)
      again()
    }
    return [
      {
        key: 'name',
        head: words.columns.name,
        isHead: true,
        cell: ({ name }) => <SafeText text={name} />,
      },
      {
        key: 'may',
        head: words.columns.may,
        cell: ({ scopes }) => (
          <>
            <NarrowLabel text={words.columns.may} />
            <code>{scopes.join(' ')}</code>
          </>
        ),
      },
      {
        key: 'tasks',
        head: words.columns.tasks,
        isWrapped: true,
        cell: ({ kinds, own }) => (
          <SafeText
            text={[kinds?.join(', ') ?? words.everyKind, ...(own ? [words.ownOnly] : [])].join(' · ')}
          />
        ),
      },
      {
        key: 'created',
        head: words.columns.created,
        isMinor: true,
        cell: ({ createdAt }) => <Time at={createdAt} />,
      },
      {
        key: 'used',
        head: words.columns.used,
        cell: ({ lastUsedAt }) => (
          <>
            <NarrowLabel text={words.columns.used} />
            {lastUsedAt === null ? words.never : <Time at={lastUsedAt} />}
          </>
        ),
      },
      {
        key: 'ends',
        head: words.columns.ends,
        cell: ({ expiresAt }) => (
          <>
            <NarrowLabel text={words.columns.ends} />
            {expiresAt === null ? words.never : <Time at={expiresAt} />}
          </>
        ),
      },
      {
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        cell: row => (
          <button
            type="button"
            class="button small danger"
            aria-label={words.revokeOf(shownText(row.name))}
            onClick={() => void revoke(row)}
          >
            {words.revoke}
          </button>
        ),
      },
    ]
  }, [t, again])
}

export const Keys = ({ who }: { who: Me }) => {
  const t = useTexts()
  const words = t.account.keys
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<MadeKey | null>(null)
  const asked = useAsked(
    'keys',
    async signal => (await get<{ keys: KeyRow[] }>('/api/keys', { signal })).keys,
  )
  const columns = useColumns(asked.again)
  return (
    <>
      <h2 class="part-head">
        {words.title} <span class="soft">{words.note}</span>
      </h2>
      {made === null ? null : (
        <ShownOnce
          title={words.made(made.name)}
          text={made.key}
          note={words.once}
          close={() => setMade(null)}
        />
      )}
      {isMaking ? (
        <KeyForm
          scopes={who.scopes}
          close={() => setMaking(false)}
          done={key => {
            setMade(key)
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
