// What each kind does, asked for again and again.
import type { KindFigure, KindFigures } from '../../state/answers.ts'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useEvery } from '../../state/use-every.ts'

const EVERY_MS = 5_000

export const useKindFigures = (): Asked<KindFigures> => {
  const asked = useAsked('kind-figures', signal => get<KindFigures>('/kinds.json', { signal }))
  useEvery(EVERY_MS, asked.again)
  return asked
}

export const figureOf = (figures: KindFigures | null, name: string): KindFigure | null =>
  figures?.kinds.find(each => each.name === name) ?? null

/** Where the failures of the day stand. */
export const failuresAddress = (name: string, since: string): string =>
  `/tasks?${new URLSearchParams({ status: 'FAILURE', kind: name, finishedFrom: since })}`
