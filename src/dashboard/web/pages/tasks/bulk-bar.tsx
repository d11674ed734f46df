// What is chosen, and what can be done with it.
import { useState } from 'preact/hooks'
import { askReader } from '../../frame/question.tsx'
import { tell } from '../../frame/toasts.tsx'
import { ProblemError } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import {
  ACTIONS,
  type Action,
  actOnMatching,
  actOnThese,
  allows,
  countMatching,
  countOf,
  type Outcome,
} from './bulk.ts'
import type { Row } from './use-live-tasks.ts'

/** What is chosen: rows by their ids, or everything that the filter names. */
export type Selection = ReadonlySet<string> | 'matching'

/**
 * All that fit now. What is submitted while the reader reads the question is not meant.
 * @param filter without `since`, which would move on
 */
const boundTo = (filter: URLSearchParams, now: number): URLSearchParams => {
  const bound = new URLSearchParams(filter)
  if (!bound.has('to')) bound.set('to', new Date(now).toISOString())
  return bound
}

const act = async (
  {
    action,
    selection,
    rows,
    filter,
  }: { action: Action; selection: Selection; rows: readonly Row[]; filter: () => URLSearchParams },
  { texts, told }: { texts: Texts; told: (sum: Outcome, all: number) => void },
): Promise<boolean> => {
  const { tasks: words, problems } = texts
  const matching = selection === 'matching' ? boundTo(filter(), Date.now()) : null
  const ids =
    selection === 'matching'
      ? []
      : rows
          .filter(({ id, status, isRemoved }) => selection.has(id) && !isRemoved && allows(action, status))
          .map(({ id }) => id)
  const count = matching ? await countMatching(action, matching) : ids.length
  if (count === 0) {
    tell(words.nothing[action])
    return false
  }
  const question = {
    title: words.ask[action](count),
    text: words.askText[action],
    confirm: words.actions[action],
    ...(action === 'cancel' ? { dismiss: words.keep } : {}),
  }
  if (!(await askReader({ ...question, isDanger: action !== 'retry' }))) return false
  const onTold = (sum: Outcome): void => told(sum, count)
  onTold({ done: 0, refused: {} })
  const outcome = matching
    ? await actOnMatching(action, matching, onTold)
    : await actOnThese(action, ids, onTold)
  if (outcome.done > 0) tell(words.done[action](outcome.done), 'good')
  // each with its reason: what somebody else did meanwhile
  for (const [code, refused] of Object.entries(outcome.refused))
    tell([words.refused(refused), problems[code]].filter(Boolean).join(' '))
  return true
}

export interface BulkActions {
  /** What is under way, for people; null at rest. */
  working: string | null
  run: (action: Action, selection: Selection) => void
}

export const useBulk = (
  rows: readonly Row[],
  filter: () => URLSearchParams,
  done: () => void,
): BulkActions => {
  const t = useTexts()
  const [working, setWorking] = useState<string | null>(null)
  const run = (action: Action, selection: Selection): void => {
    const told = ({ done: count, refused }: Outcome, all: number): void =>
      setWorking(t.tasks.working(count + countOf(refused), all))
    act({ action, selection, rows, filter }, { texts: t, told })
      .then(isDone => {
        if (isDone) done()
      })
      .catch((error: unknown) => {
        const words =
          error instanceof ProblemError ? (t.problems[error.code] ?? error.message) : String(error)
        tell(words, 'bad')
      })
      .finally(() => setWorking(null))
  }
  return { working, run }
}

export interface BulkBarProps {
  selection: Selection
  /** How many tasks fit the filter; null while that is not known. */
  matching: number | null
  bulk: BulkActions
  selectMatching: () => void
  selectNone: () => void
  /** Whether there is more than what is shown. */
  hasMore: boolean
}

export const BulkBar = ({ selection, matching, bulk, selectMatching, selectNone, hasMore }: BulkBarProps) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.tasks
  const isAll = selection === 'matching'
  const number = matching === null ? '' : ` (${f.number(matching)})`
  return (
    <div class="card bulk-bar" role="status">
      <span>{isAll ? `${words.matching}${number}` : words.selected(selection.size)}</span>
      {!isAll && hasMore ? (
        <button type="button" class="bare underlined" onClick={selectMatching}>
          {words.selectMatching}
          {number}
        </button>
      ) : null}
      <button type="button" class="bare underlined" onClick={selectNone}>
        {words.unselect}
      </button>
      {bulk.working === null ? null : <span class="soft">{bulk.working}</span>}
      {mayChange(who) ? (
        <span class="bulk-actions">
          {ACTIONS.map(action => (
            <button
              key={action}
              type="button"
              class={action === 'delete' ? 'button danger' : 'button'}
              disabled={bulk.working !== null}
              onClick={() => bulk.run(action, selection)}
            >
              {words.actions[action]}
            </button>
          ))}
        </span>
      ) : (
        <span class="soft">{t.frame.viewer}</span>
      )}
    </div>
  )
}
