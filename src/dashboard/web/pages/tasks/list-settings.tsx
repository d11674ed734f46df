// Which columns the list has, and how dense it is. The columns stand in the address, so that a view can be sent; the
// browser keeps the last choice for addresses that say nothing.

import { useQuery } from '../../router.tsx'
import { useCell } from '../../state/cell.ts'
import { DENSITIES, density } from '../../state/preferences.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { COLUMN_NAMES, type ColumnName, USUAL } from './columns.tsx'

const KEPT = 'task-columns'

const namesIn = (text: string | null): ColumnName[] =>
  COLUMN_NAMES.filter(name => (text ?? '').split(',').includes(name))

const kept = (): ColumnName[] => {
  try {
    return namesIn(localStorage.getItem(KEPT))
  } catch {
    return []
  }
}

/** The columns that are shown, and a change of them. */
export const useColumns = (): [readonly ColumnName[], (names: readonly ColumnName[]) => void] => {
  const [query, change] = useQuery()
  const chosen = namesIn(query.get('columns'))
  const before = chosen.length > 0 ? chosen : kept()
  return [
    before.length > 0 ? before : USUAL,
    names => {
      try {
        localStorage.setItem(KEPT, names.join(','))
      } catch {}
      change({ columns: names.join(',') }, { push: false })
    },
  ]
}

export const ListSettings = () => {
  const [t, shownDensity] = [useTexts(), useCell(density)]
  const [shown, choose] = useColumns()
  const words = t.tasks
  return (
    <details class="menu-card">
      <summary class="button">{words.columnsTitle}</summary>
      <div class="card menu-card-body">
        {COLUMN_NAMES.map(name => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={shown.includes(name)}
              // the title is the way to the task
              disabled={name === 'title'}
              onChange={() =>
                choose(shown.includes(name) ? shown.filter(each => each !== name) : [...shown, name])
              }
            />
            {words.columns[name]}
          </label>
        ))}
        <fieldset class="density">
          <legend>{words.density}</legend>
          {DENSITIES.map(each => (
            <label key={each} class="check">
              <input
                type="radio"
                name="density"
                checked={each === shownDensity}
                onChange={() => density.set(each)}
              />
              {words.densities[each]}
            </label>
          ))}
        </fieldset>
      </div>
    </details>
  )
}
