// How many tasks there are in each status, each number a link to them.
import { Link } from '../../router.tsx'
import type { Overview } from '../../state/answers.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { STATUSES } from '../tasks/filter.ts'

export const Statuses = ({ counts }: Pick<Overview, 'counts'>) => {
  const [t, f] = [useTexts(), useFormats()]
  return (
    <nav class="card statuses" aria-label={t.overview.byStatus}>
      {STATUSES.map(status => {
        const count = counts?.[status] ?? 0
        return (
          <Link
            key={status}
            class={count === 0 ? 'status-tile none' : `status-tile tile-${status.toLowerCase()}`}
            href={`/tasks?status=${status}`}
          >
            <span class="status-count">{counts === null ? '–' : f.number(count)}</span>{' '}
            <span class="status-name">{status}</span>
          </Link>
        )
      })}
    </nav>
  )
}
