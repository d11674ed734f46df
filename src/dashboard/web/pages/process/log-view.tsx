// The lines of a log in a box of their own, which stays at the end while the reader is there.
import { Fragment } from 'preact'
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { Empty } from '../../parts/states.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { LogRow } from './log-row.tsx'
import { type LogState, lineNear, linesOf } from './log-state.ts'
import type { View } from './log-types.ts'
import type { UsedLog } from './use-log.ts'

export interface LogViewProps {
  label: string
  view: View
  state: LogState
  log: UsedLog
  at: string | null
  /** Whose line of that moment is meant. */
  task: string | null
  hasFilter: boolean
  /** Whether the reader is at the end; the log asks too. */
  following: { current: boolean }
}

/** So near to the end counts as at the end, pixels. */
const NEAR = 30

export const LogView = ({ label, view, state, log, at, task, hasFilter, following }: LogViewProps) => {
  const [words, f] = [useTexts().log, useFormats()]
  const box = useRef<HTMLElement>(null)
  const [isAtEnd, setAtEnd] = useState(at === null)
  const [activeKey, setActive] = useState<string | null>(null)
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const lines = linesOf(state)
  const target = at === null ? null : lineNear(lines, Date.parse(at), task)
  const firstKey = lines[0]?.key
  const before = useRef<{ firstKey: string | undefined; height: number }>({ firstKey: undefined, height: 0 })

  const noteEnd = (is: boolean): void => {
    following.current = is
    setAtEnd(is)
  }
  const toEnd = (): void => {
    const element = box.current
    if (element) element.scrollTop = element.scrollHeight
    noteEnd(true)
  }
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const { firstKey: firstBefore, height } = before.current
    if (following.current) element.scrollTop = element.scrollHeight
    // what came above moves nothing that is read
    else if (firstBefore !== undefined && firstBefore !== firstKey)
      element.scrollTop += element.scrollHeight - height
    before.current = { firstKey, height: element.scrollHeight }
  })
  useLayoutEffect(() => {
    if (target) box.current?.querySelector('.target')?.scrollIntoView({ block: 'center' })
  }, [target])

  const rowOf = (key: string): HTMLElement | undefined =>
    [...(box.current?.querySelectorAll<HTMLElement>('li.log-line') ?? [])].find(
      each => each.dataset.key === key,
    )
  const toggled = useRef<string | null>(null)
  const toggle = useCallback((key: string) => {
    toggled.current = key
    setOpen(known => {
      const next = new Set(known)
      if (!next.delete(key)) next.add(key)
      return next
    })
  }, [])
  useLayoutEffect(() => {
    const key = toggled.current
    const row = key !== null && open.has(key) ? rowOf(key) : undefined
    // of one that is higher than the box, its beginning
    const isHigh = row && row.offsetHeight > (box.current?.clientHeight ?? 0)
    row?.scrollIntoView({ block: isHigh ? 'start' : 'nearest' })
  }, [open])
  const move = (step: number): void => {
    const from = lines.findIndex(({ key }) => key === activeKey)
    const to = from === -1 ? lines.length - 1 : Math.min(lines.length - 1, Math.max(0, from + step))
    const key = lines[to]?.key
    if (key === undefined) return
    following.current = false
    setActive(key)
    const element = rowOf(key)
    element?.focus({ preventScroll: true })
    element?.scrollIntoView({ block: 'nearest' })
  }
  useKeys({
    j: { label: words.keys.nextLine, run: () => move(1) },
    k: { label: words.keys.previousLine, run: () => move(-1) },
    Enter: { label: words.keys.unfold, run: () => (activeKey === null ? undefined : toggle(activeKey)) },
    End: { label: words.keys.end, run: toEnd },
  })

  const isBoth = view === 'errors'
  const begin = Object.values(state.before).some(place => place !== null)
  const none = !state.isWritten ? words.none : isBoth && !hasFilter ? words.noErrors : words.noneFits
  return (
    <div class="card log-card">
      <section
        ref={box}
        class="log-box"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        tabIndex={0}
        aria-label={label}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          noteEnd(at === null && scrollHeight - scrollTop - clientHeight < NEAR)
        }
      >
        <p class="log-edge">
          {begin ? (
            <button
              type="button"
              class="bare underlined"
              disabled={log.isBusy}
              onClick={() => void log.older()}
            >
              {lines.length === 0 ? words.searchedBack : words.older} ↑
            </button>
          ) : lines.length > 0 ? (
            <span class="soft">{words.nothingOlder}</span>
          ) : null}
        </p>
        {lines.length === 0 && !begin ? <Empty text={none} /> : null}
        <ol class="log-lines">
          {lines.map((line, index) => (
            <Fragment key={line.key}>
              {line.isAfterGap ? <li class="log-note">{words.gap}</li> : null}
              {isBoth && index === 0 && state.past.err.length > 0 ? (
                <li class="log-note">{words.untimed}</li>
              ) : null}
              {isBoth && index > 0 && index === state.past.err.length ? (
                <li class="log-note">{words.streams.out}:</li>
              ) : null}
              <LogRow
                line={line}
                isActive={line.key === activeKey}
                isOpen={open.has(line.key)}
                isTarget={line.key === target}
                hasStream={isBoth}
                toggle={toggle}
              />
            </Fragment>
          ))}
        </ol>
        {at === null ? null : (
          <p class="log-edge">
            <button
              type="button"
              class="bare underlined"
              disabled={log.isBusy}
              onClick={() => void log.later()}
            >
              {words.newer} ↓
            </button>
          </p>
        )}
      </section>
      {isAtEnd || at !== null ? null : (
        <button type="button" class="button to-end" onClick={toEnd}>
          {words.toEnd} ↓
        </button>
      )}
      <p class="log-foot soft small">
        {words.lines(lines.length)}
        {at === null ? null : ` · ${words.atTime(f.fullTime(Date.parse(at)))}`}
      </p>
    </div>
  )
}
