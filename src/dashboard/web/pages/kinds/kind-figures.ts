// What each kind does, asked for again and again.
import type { KindList } from '../../format/kind-list.ts'
import type { KindFigure, KindFigures } from '../../state/answers.ts'
import { get, withQuery } from '../../state/api.ts'
import { useMay } from '../../state/rights.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useEvery } from '../../state/use-every.ts'

const EVERY_MS = 5_000

const NONE: KindFigures = { since: '', kinds: [], isWhole: true }

export const useKindFigures = (): Asked<KindFigures> => {
  // they count the tasks of all
  const isAllowed = useMay('look')
  const asked = useAsked('kind-figures', async signal =>
    isAllowed ? get<KindFigures>('/kinds.json', { signal }) : NONE,
  )
  useEvery(EVERY_MS, asked.again)
  return asked
}

export const figureOf = (figures: KindFigures | null, name: string): KindFigure | null =>
  figures?.kinds.find(each => each.name === name) ?? null

/** Kinds that only tasks have: no file tells of them, not even one that cannot be used. */
export const goneKinds = (figures: KindFigures | null, { kinds, trouble }: KindList): string[] => {
  const told = new Set([...kinds, ...trouble].map(({ name }) => name))
  return (figures?.kinds ?? []).flatMap(({ name }) => (told.has(name) ? [] : [name]))
}

/** Where its tasks stand that wait. */
export const waitingAddress = (name: string): string =>
  withQuery('/tasks', { status: ['PENDING', 'RETRY'], kind: name })

/** Where the failures of the day stand. */
export const failuresAddress = (name: string, since: string): string =>
  `/tasks?${new URLSearchParams({ status: 'FAILURE', kind: name, finishedFrom: since })}`
