// The texts in the reader's language, and the formats that depend on language and zone.
import { useMemo } from 'preact/hooks'
import { createFormats, type Formats } from '../format/formats.ts'
import { useCell } from '../state/cell.ts'
import { language, zone } from '../state/preferences.ts'
import { TEXTS, type Texts } from './texts.ts'

export const useTexts = (): Texts => TEXTS[useCell(language)]

/** Numbers, times, durations and bytes as the reader writes them. */
export const useFormats = (): Formats => {
  const [lang, at] = [useCell(language), useCell(zone)]
  return useMemo(() => createFormats(lang, at), [lang, at])
}
