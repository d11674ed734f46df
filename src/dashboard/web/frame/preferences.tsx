// How the page is shown: theme, zone of times, language.
import type { Cell } from '../state/cell.ts'
import { useCell } from '../state/cell.ts'
import { language, THEMES, theme, ZONES, zone } from '../state/preferences.ts'
import { LANGUAGE_NAMES, LANGUAGES } from '../texts/languages.ts'
import { useTexts } from '../texts/use-texts.ts'

const Choice = <T extends string>({
  label,
  cell,
  values,
  words,
}: {
  label: string
  cell: Cell<T>
  values: readonly T[]
  words: Readonly<Record<T, string>>
}) => {
  const chosen = useCell(cell)
  return (
    <label class="choice">
      <span>{label}</span>
      <select
        value={chosen}
        onChange={event => {
          const value = values.find(each => each === event.currentTarget.value)
          if (value !== undefined) cell.set(value)
        }}
      >
        {values.map(value => (
          <option key={value} value={value}>
            {words[value]}
          </option>
        ))}
      </select>
    </label>
  )
}

export const Preferences = () => {
  const t = useTexts()
  return (
    <details class="preferences">
      <summary>{t.frame.preferences}</summary>
      <Choice label={t.frame.theme} cell={theme} values={THEMES} words={t.frame.themes} />
      <Choice label={t.frame.zone} cell={zone} values={ZONES} words={t.frame.zones} />
      <Choice label={t.frame.language} cell={language} values={LANGUAGES} words={LANGUAGE_NAMES} />
    </details>
  )
}
