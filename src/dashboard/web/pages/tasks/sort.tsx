// The order of the list, chosen from a menu, by the heads of its columns, or by `s`.
import type { Sort } from '../../../../client/task.ts'
import { useKeys } from '../../frame/keys.ts'
import { useQuery } from '../../router.tsx'
import { useTexts } from '../../texts/use-texts.ts'
import { readSort, SORTS, sortOf, USUAL_SORT } from './order.ts'

export const useSort = (): [Sort, (sort: Sort) => void] => {
  const [query, change] = useQuery()
  return [sortOf(query), sort => change({ sort: sort === USUAL_SORT ? null : sort, cursor: null })]
}

export const useSortKey = (): void => {
  const [t, [sort, choose]] = [useTexts(), useSort()]
  useKeys({
    s: {
      label: t.keys.sort,
      run: () => choose(SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] ?? USUAL_SORT),
    },
  })
}

export const SortMenu = () => {
  const [{ tasks: words }, [sort, choose]] = [useTexts(), useSort()]
  return (
    <select
      class="sort-menu"
      aria-label={words.sort}
      value={sort}
      onChange={event => choose(sortOf(new URLSearchParams({ sort: event.currentTarget.value })))}
    >
      {SORTS.map(each => (
        <option key={each} value={each}>
          {words.sorts[each]}
        </option>
      ))}
    </select>
  )
}

/** The head of a column that the list can be sorted by: it sorts by that, and turns the order round. */
export const SortHead = ({ by, text }: { by: 'createdAt' | 'finishedAt'; text: string }) => {
  const [sort, choose] = useSort()
  const now = readSort(sort)
  const isSorted = now.by === by
  return (
    <button
      type="button"
      class="bare sort-head"
      onClick={() => choose(isSorted && now.isDescending ? by : `-${by}`)}
    >
      {text}
      {/* the head of the column says it to those who do not see it */}
      <span aria-hidden="true">{isSorted ? (now.isDescending ? ' ↓' : ' ↑') : ''}</span>
    </button>
  )
}
