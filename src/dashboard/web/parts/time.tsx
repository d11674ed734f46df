// A moment, short, with the full one on hover; and one that counts on.
import { useEffect, useLayoutEffect } from 'preact/hooks'
import { createCell, useCell } from '../state/cell.ts'
import { useFormats } from '../texts/use-texts.ts'

/** The time of this browser, moved on every second while somebody needs it. */
const now = createCell(Date.now())
let users = 0
let ticker: ReturnType<typeof setInterval> | undefined

/** Milliseconds since 1970, new every second. */
export const useNow = (): number => {
  // it stood still while nobody needed it
  useLayoutEffect(() => {
    if (users === 0) now.set(Date.now())
  }, [])
  useEffect(() => {
    users += 1
    if (users === 1) ticker = setInterval(() => now.set(Date.now()), 1000)
    return () => {
      users -= 1
      if (users === 0) clearInterval(ticker)
    }
  }, [])
  return useCell(now)
}

export interface TimeProps {
  /** ISO-8601. */
  at: string
}

/** `03:09:59` */
export const Time = ({ at }: TimeProps) => {
  const f = useFormats()
  const ms = Date.parse(at)
  return (
    <time dateTime={at} title={f.fullTime(ms)}>
      {f.time(ms)}
    </time>
  )
}

/** `5 min ago` */
export const RelativeTime = ({ at }: TimeProps) => {
  const [f, current] = [useFormats(), useNow()]
  const ms = Date.parse(at)
  return (
    <time dateTime={at} title={f.fullTime(ms)}>
      {f.relative(ms, current)}
    </time>
  )
}

/** `1 min 9 s`, up to an end or counting on. */
export const Duration = ({ from, to }: { from: string; to: string | null }) =>
  to === null ? <Counting from={from} /> : <Fixed ms={Date.parse(to) - Date.parse(from)} />

const Fixed = ({ ms }: { ms: number }) => <span class="number">{useFormats().duration(ms)}</span>
const Counting = ({ from }: { from: string }) => <Fixed ms={useNow() - Date.parse(from)} />
