// What cannot be run, with the reason in words, and what can become of each: run again, or be discarded.
import { useEffect, useMemo, useState } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { shownText } from '../../format/hidden-characters.ts'
import { type DeadCount, deadCount } from '../../frame/menu-numbers.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { StatusBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { Link, navigate, useQuery } from '../../router.tsx'
import { get } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { titleOf } from '../tasks/columns.tsx'
import { discard, replay } from './dead-actions.ts'

interface DeadRow {
  task: TaskView
  reason: { code: string; message: string }
}
interface MessageRow {
  id: string
  reason: string
  deadAt: string
  bytes: number
  preview: string
}
interface DeadList {
  tasks: DeadRow[]
  messages: MessageRow[]
  messageCount: number | null
  trouble: string | null
  next: string | null
}

/** The server's words say no more than ours. */
const SAID = ['KIND_UNKNOWN']

/** A task that waits runs by itself, or not at all. */
const canReplay = ({ task }: DeadRow): boolean => task.status === 'FAILURE'

const Buttons = ({
  name,
  onReplay,
  onDiscard,
}: {
  name: string
  onReplay: (() => void) | null
  onDiscard: () => void
}) => {
  const [t, who] = [useTexts(), useCell(me)]
  return (
    <span class="row-actions">
      {onReplay ? (
        <button
          type="button"
          class="button small"
          disabled={!mayChange(who)}
          aria-label={`${t.dead.replay}: ${name}`}
          onClick={onReplay}
        >
          {t.dead.replay}
        </button>
      ) : null}
      <button
        type="button"
        class="button small danger"
        disabled={!mayChange(who)}
        aria-label={`${t.dead.discard}: ${name}`}
        onClick={onDiscard}
      >
        {t.dead.discard}
      </button>
    </span>
  )
}

const Tasks = ({ rows, again }: { rows: readonly DeadRow[]; again: () => void }) => {
  const t = useTexts()
  const words = t.dead
  const columns = useMemo<Column<DeadRow>[]>(
    () => [
      { key: 'status', head: words.columns.status, cell: ({ task }) => <StatusBadge status={task.status} /> },
      {
        key: 'task',
        head: words.columns.task,
        isHead: true,
        isWrapped: true,
        cell: ({ task }) => (
          <>
            <Link class="title-link" href={`/task/${task.id}`}>
              <SafeText text={titleOf(task, t)} />
            </Link>{' '}
            <code class="soft">
              <SafeText text={task.kind} />
            </code>
          </>
        ),
      },
      {
        key: 'reason',
        head: words.columns.reason,
        isWrapped: true,
        cell: ({ reason }) => (
          <>
            <span>{words.reasons[reason.code] ?? reason.code}</span>
            {SAID.includes(reason.code) ? null : (
              <span class="reason-words">
                <SafeText text={reason.message} />
              </span>
            )}
          </>
        ),
      },
      {
        key: 'since',
        head: words.columns.since,
        align: 'right',
        isMinor: true,
        cell: ({ task }) => <RelativeTime at={task.finishedAt ?? task.createdAt} />,
      },
      {
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        cell: row => {
          const name = shownText(titleOf(row.task, t))
          return (
            <Buttons
              name={name}
              onReplay={canReplay(row) ? () => void replay(t, { id: row.task.id, name }, again) : null}
              onDiscard={() => void discard(t, { id: row.task.id, name }, again)}
            />
          )
        },
      },
    ],
    [t, again],
  )
  const { activeId } = useRowKeys(
    rows.map(({ task }) => task.id),
    { open: id => navigate(`/task/${id}`) },
  )
  return (
    <div class="stacked">
      <Table
        label={words.table}
        columns={columns}
        rows={rows}
        idOf={({ task }) => task.id}
        activeId={activeId}
      />
    </div>
  )
}

const Messages = ({ rows, again }: { rows: readonly MessageRow[]; again: () => void }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.dead
  const columns = useMemo<Column<MessageRow>[]>(
    () => [
      {
        key: 'reason',
        head: words.messageColumns.reason,
        isHead: true,
        isWrapped: true,
        cell: ({ reason }) => <SafeText text={reason} />,
      },
      {
        key: 'preview',
        head: words.messageColumns.preview,
        isWrapped: true,
        cell: ({ preview }) => (
          <code>
            <SafeText text={preview} />
          </code>
        ),
      },
      {
        key: 'bytes',
        head: words.messageColumns.bytes,
        align: 'right',
        isMinor: true,
        cell: ({ bytes }) => f.bytes(bytes),
      },
      {
        key: 'at',
        head: words.messageColumns.at,
        align: 'right',
        isMinor: true,
        cell: ({ deadAt }) => <RelativeTime at={deadAt} />,
      },
      {
        key: 'actions',
        head: <span class="unseen">{words.columns.actions}</span>,
        align: 'right',
        cell: ({ id, reason }) => (
          <Buttons
            name={shownText(reason)}
            onReplay={() => void replay(t, { id, name: null }, again)}
            onDiscard={() => void discard(t, { id, name: null }, again)}
          />
        ),
      },
    ],
    [t, f, again],
  )
  return (
    <div class="stacked">
      <Table label={words.messages} columns={columns} rows={rows} idOf={({ id }) => id} />
    </div>
  )
}

export const DeadPage = () => {
  const [t, count] = [useTexts(), useCell(deadCount)]
  const words = t.dead
  const [query, change] = useQuery()
  const cursor = query.get('cursor')
  const [known, setKnown] = useState<DeadCount | null>(null)
  const asked = useAsked(`dead ${cursor}`, signal =>
    get<DeadList>('/api/dead', { query: { cursor }, signal }),
  )
  // what the list was when it was read; another number says that it is another one by now
  useEffect(() => setKnown(count), [asked.value])
  useEffect(() => setKnown(before => before ?? count), [count])
  const list = asked.value
  // the whole list says its number itself; the one of the menu comes a little later
  const whole =
    list && cursor === null && list.next === null ? list.tasks.length + (list.messageCount ?? 0) : null
  const isAsCounted = count !== null && count.count === whole
  useEffect(() => {
    if (isAsCounted) setKnown(count)
  }, [isAsCounted, count])
  const isOld = known !== null && count !== null && known.count !== count.count && !isAsCounted
  const isEmpty = list !== null && list.tasks.length === 0 && list.messages.length === 0
  useEffect(() => {
    // an empty list has nothing that could move
    if (isOld && isEmpty) asked.again()
  }, [isOld, isEmpty])
  return (
    <>
      <PageHead title={t.menu.dead}>
        <span aria-live="polite">
          {isOld ? (
            <button type="button" class="button" onClick={asked.again}>
              {words.changed}
            </button>
          ) : null}
        </span>
      </PageHead>
      <WhenAsked asked={asked}>
        {({ tasks, messages, messageCount, trouble, next }) => (
          <>
            {trouble === null ? null : (
              <p class="note" role="status">
                {words.unknownMessages} <SafeText text={trouble} />
              </p>
            )}
            {tasks.length > 0 ? <Tasks rows={tasks} again={asked.again} /> : null}
            {messages.length > 0 ? (
              <>
                <h2 class="part-head">
                  {words.messages}{' '}
                  {messageCount === null ? null : (
                    <span class="soft">{words.shownMessages(messages.length, messageCount)}</span>
                  )}
                </h2>
                <Messages rows={messages} again={asked.again} />
              </>
            ) : null}
            {isEmpty && next === null && cursor === null ? (
              <div class="empty">
                <p class="empty-good">{words.none}</p>
                <p class="empty-text">{words.noneText}</p>
              </div>
            ) : null}
            {cursor === null && next === null ? null : (
              <nav class="pager" aria-label={words.table}>
                {cursor === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: null })}>
                    {words.first}
                  </button>
                )}
                {next === null ? null : (
                  <button type="button" class="bare underlined" onClick={() => change({ cursor: next })}>
                    {words.more} ↓
                  </button>
                )}
              </nav>
            )}
          </>
        )}
      </WhenAsked>
    </>
  )
}
