// One process and its logs, live: what it said, and what it said at a moment. The address is the state.
import { useRef } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { useQuery } from '../../router.tsx'
import type { Action } from '../../state/answers.ts'
import { useCell } from '../../state/cell.ts'
import { mayOrder, me } from '../../state/me.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { OrderButtons } from '../processes/order-buttons.tsx'
import { giveOrder } from '../processes/orders.ts'
import { ProcessBadge } from '../processes/processes-page.tsx'
import { useProcesses } from '../processes/use-processes.ts'
import { LogBar } from './log-bar.tsx'
import { LEVELS, STREAMS_OF, VIEWS, type View } from './log-types.ts'
import { LogView } from './log-view.tsx'
import { ProcessCard } from './process-card.tsx'
import { useLog } from './use-log.ts'

/** An address may hold anything; what is no moment is none. */
const momentIn = (text: string | null): string | null => {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}

const linkTo =
  (query: URLSearchParams) =>
  (view: View): string => {
    const next = new URLSearchParams(query)
    next.set('stream', view)
    // a level belongs to the output, and a moment too: the other lines have no time
    if (view !== 'out') for (const word of ['level', 'at', 'task']) next.delete(word)
    return `?${next}`
  }

export const ProcessPage = ({ words: { name = '' } }: { words: Record<string, string> }) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.log
  const [query, change] = useQuery()
  const view = VIEWS.find(each => each === query.get('stream')) ?? 'out'
  const chosen = LEVELS.find(each => each === query.get('level')) ?? null
  const search = query.get('search')
  const at = view === 'out' ? momentIn(query.get('at')) : null
  const task = query.get('task')
  const level = view === 'errors' ? 'error' : view === 'out' ? chosen : null
  const following = useRef(true)
  const streams = STREAMS_OF[view]
  const log = useLog({ name, streams, level, search, at }, () => following.current)
  const { asked } = useProcesses()
  const rows = asked.value ?? []
  const row = rows.find(each => each.name === name)

  const order = (action: Action) => () => {
    if (row?.can[action] && mayOrder(who)) void giveOrder(t, { action, name, rows, isByKey: true })
  }
  useKeys({
    '/': { label: t.keys.search, run: () => document.getElementById('log-search')?.focus() },
    p: { label: words.keys.pause, run: () => (at === null ? log.setPaused(!log.isPaused) : undefined) },
    s: { label: words.keys.start, run: order('start') },
    x: { label: words.keys.stop, run: order('stop') },
    r: { label: words.keys.restart, run: order('restart') },
  })
  const label = `${words.streams[view]}, ${name}`
  const facts = row && [
    row.pid === null ? null : `${words.pid} ${row.pid}`,
    row.uptimeMs === null ? null : f.duration(row.uptimeMs),
    words.restarts(f.number(row.restarts)),
  ]
  return (
    <>
      <PageHead
        title={name}
        before={row ? <ProcessBadge row={row} /> : undefined}
        note={facts ? facts.filter(Boolean).join(' · ') : undefined}
      >
        {row ? <OrderButtons row={row} rows={rows} /> : null}
      </PageHead>
      {row ? <ProcessCard row={row} /> : null}
      <LogBar
        view={view}
        level={level}
        search={search}
        isPaused={at === null ? log.isPaused : null}
        waiting={log.waiting}
        linkTo={linkTo(query)}
        setLevel={next => change({ level: next })}
        setSearch={next => change({ search: next }, { push: false })}
        setPaused={log.setPaused}
      />
      <WhenAsked asked={log.asked}>
        {state => (
          <LogView
            key={`${view} ${level} ${search} ${at} ${task}`}
            label={label}
            view={view}
            state={state}
            log={log}
            at={at}
            task={task}
            hasFilter={search !== null}
            following={following}
          />
        )}
      </WhenAsked>
      <p class="log-links soft small">
        {at === null ? null : (
          <button type="button" class="bare underlined" onClick={() => change({ at: null, task: null })}>
            {words.live}
          </button>
        )}
        {streams.map(stream => (
          <a key={stream} href={`/logs/${encodeURIComponent(name)}/${stream}.log`} download>
            {words.downloadOf(words.streams[stream])}
          </a>
        ))}
        <span class="keys-hint">{words.hint}</span>
      </p>
    </>
  )
}
