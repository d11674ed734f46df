// Streams that outlive their server: one that breaks off is opened again where it was, with growing pauses, and whoever
// looks is told once.
import { isTemporary, reasonOf } from '../client/errors.ts'
import { pause } from '../client/patience.ts'
import { PATIENCE_MS } from './console.ts'

export interface LastingOptions<Item, End> {
  /** Opens the stream behind `since`; undefined: from its beginning. One try. */
  open(since: string | undefined): AsyncGenerator<Item, End, void>
  /** Where it is after an item; undefined: no further than before. */
  sinceOf(item: Item): string | undefined
  /** Resolves when the server answers, for streams that may say nothing for long. */
  probe?(): Promise<unknown>
  tell(text: string): void
  signal: AbortSignal
  /** How long the server may be away, milliseconds; null: without end, once the stream has begun. */
  patienceMs: number | null
  /** It counts as begun from the start. */
  isPersistent?: boolean
}

const FIRST_MS = 250
const LAST_MS = 10_000

export const BACK = 'The server is back'
export const awayText = (error: unknown): string =>
  `The server cannot be reached (${reasonOf(error)}); trying again`

/** @throws what is no matter of time; what the signal says; the last error when the patience is over */
export const lasting = async function* <Item, End>({
  open,
  sinceOf,
  probe,
  tell,
  signal,
  patienceMs,
  isPersistent = false,
}: LastingOptions<Item, End>): AsyncGenerator<Item, End, void> {
  let since: string | undefined
  let hasBegun = isPersistent
  let awaySince: number | null = null
  let isTold = false
  let failures = 0
  const isBack = (): void => {
    if (isTold) tell(BACK)
    isTold = false
    awaySince = null
    failures = 0
    hasBegun = true
  }
  for (;;)
    try {
      // a stream that is silent has begun too
      if (probe && (awaySince !== null || !hasBegun)) {
        await probe()
        isBack()
      }
      const items = open(since)
      try {
        for (;;) {
          const { done, value } = await items.next()
          isBack()
          if (done) return value
          since = sinceOf(value) ?? since
          yield value
        }
      } finally {
        void items.return(undefined as End).catch(() => {})
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isTemporary(error)) throw error
      awaySince ??= performance.now()
      const patience = patienceMs ?? (hasBegun ? Number.POSITIVE_INFINITY : PATIENCE_MS)
      const wait = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
      failures += 1
      if (performance.now() - awaySince + wait > patience) throw error
      if (hasBegun && !isTold) {
        tell(awayText(error))
        isTold = true
      }
      await pause(wait, signal)
    }
}
