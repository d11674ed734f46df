// A status, as a word in its colour. The words are the same in every language.
import type { Status } from '../../../client/task.ts'
import type { Tone } from '../state/answers.ts'

export const StatusBadge = ({ status }: { status: Status }) => (
  <span class={`badge ${status.toLowerCase()}`}>{status}</span>
)

/** Any other state: a process's, a check's. */
export const StateBadge = ({ tone, children }: { tone: Tone; children: string }) => (
  <span class={`badge tone-${tone}`}>{children}</span>
)
