// The overview as the server sends it, and what is wrong right now, for the menu and the title of every page.
import { createCell } from './cell.ts'

export interface Trouble {
  code: string
  level: 'error' | 'warning'
  params: Readonly<Record<string, string | number | null>>
  /** The page that says more. */
  link: string
}

/** Failed tasks of one kind with one sort of message. */
export interface FailureGroup {
  kind: string
  /** An ellipsis in the pattern stands for what differs. */
  error: { code: string; pattern: string | null }
  count: number
  /** ISO-8601. */
  firstAt: string
  lastAt: string
  /** Its last task. */
  example: { id: string; message: string }
  /** The query that lists these tasks alone. */
  filter: Readonly<Record<string, string>>
}

export interface Overview {
  /** The most urgent first. */
  troubles: readonly Trouble[]
  /** By status. Null: the store does not answer. */
  counts: Readonly<Record<string, number>> | null
  queue: { name: string; status: string; depth: number | null; waiting: number } | null
  failures: readonly FailureGroup[] | null
  failuresTotal: { count: number; moreGroups: number; isWhole: boolean } | null
}

/** Null until it is known. */
export const troubles = createCell<readonly Trouble[] | null>(null)
