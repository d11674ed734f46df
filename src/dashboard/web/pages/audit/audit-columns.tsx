// The columns of the audit. Who and to what lead to what else there is of them.
import { useMemo } from 'preact/hooks'
import { shownText } from '../../format/hidden-characters.ts'
import { StateBadge } from '../../parts/badge.tsx'
import { NarrowLabel } from '../../parts/narrow-label.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import type { Column } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import type { Tone } from '../../state/answers.ts'
import { withQuery } from '../../state/api.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { type AuditRow, targetOf } from './audit.ts'

const TONES: Readonly<Record<string, Tone>> = { done: 'good', unknown: 'rest' }

const Actor = ({ actor }: { actor: AuditRow['actor'] }) => {
  const words = useTexts().audit
  if (actor === null) return <span class="soft">{words.nobody}</span>
  const { account, name } = actor
  return (
    // by the id: another account may have had this name
    <Link href={withQuery('/audit', { actor: account })} aria-label={words.onlyOf(shownText(name))}>
      <SafeText text={name} />
    </Link>
  )
}

const Target = ({ row }: { row: AuditRow }) => {
  const words = useTexts().audit
  const target = targetOf(row)
  if (target === null) return <>–</>
  const { id, isTask, rest } = target
  const ofIt = withQuery('/audit', { target: id })
  const onlyThat = words.onlyAbout(shownText(id))
  return (
    <>
      {isTask ? (
        <Link href={`/task/${id}`} title={id}>
          <code>{shortId(id)}</code>
        </Link>
      ) : id === '' ? null : (
        <Link href={ofIt} aria-label={onlyThat}>
          <code>
            <SafeText text={id} />
          </code>
        </Link>
      )}
      {rest === '' ? null : (
        <>
          {' '}
          <span class="soft">
            <SafeText text={rest} />
          </span>
        </>
      )}
      {isTask ? (
        <>
          {' · '}
          <Link href={ofIt} title={onlyThat}>
            {words.itsEntries}
          </Link>
        </>
      ) : null}
    </>
  )
}

export const useAuditColumns = (): Column<AuditRow>[] => {
  const t = useTexts()
  return useMemo(() => {
    const words = t.audit
    const { columns } = words
    return [
      { key: 'at', head: columns.at, cell: ({ at }) => <Time at={at} /> },
      {
        key: 'action',
        head: columns.action,
        isHead: true,
        cell: ({ action }) => (
          <>
            {words.actions[action] ?? action} <code class="soft">{action}</code>
          </>
        ),
      },
      {
        key: 'actor',
        head: columns.actor,
        cell: ({ actor }) => (
          <>
            <NarrowLabel text={columns.actor} />
            <Actor actor={actor} />
          </>
        ),
      },
      {
        key: 'target',
        head: columns.target,
        isWrapped: true,
        cell: row => (
          <>
            <NarrowLabel text={columns.target} />
            <Target row={row} />
          </>
        ),
      },
      {
        key: 'outcome',
        head: columns.outcome,
        cell: ({ outcome }) => (
          <StateBadge tone={TONES[outcome] ?? 'bad'}>{words.outcomes[outcome] ?? outcome}</StateBadge>
        ),
      },
      {
        key: 'via',
        head: columns.via,
        cell: ({ via }) => (
          <>
            <NarrowLabel text={columns.via} />
            {words.vias[via] ?? via}
          </>
        ),
      },
      {
        key: 'address',
        head: columns.address,
        cell: ({ address }) => (
          <>
            <NarrowLabel text={columns.address} />
            {address === null ? '–' : <SafeText text={address} />}
          </>
        ),
      },
    ]
  }, [t])
}
