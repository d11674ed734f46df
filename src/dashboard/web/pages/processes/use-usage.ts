// What each process of the bundle used over the last hour, from the figures that the dashboard keeps: a reload, a
// restart of the dashboard or a kill does not end the line.
import type { ProcessRow } from '../../state/answers.ts'
import { MEASURED_ROLES } from '../../state/figures.ts'
import { useFigures } from '../../state/use-figures.ts'

export type Used = 'cpu' | 'memory'
/** Ten seconds apart, the newest last, from the first that is known. Null is a gap: it did not run, or nobody looked. */
export type UsageOf = (row: ProcessRow, what: Used) => readonly (number | null)[]

type Role = (typeof MEASURED_ROLES)[number]
type Name = `${Role}${'Cpu' | 'Memory'}`
const NAMES: readonly Name[] = MEASURED_ROLES.flatMap((role): Name[] => [`${role}Cpu`, `${role}Memory`])

const isRole = (name: string): name is Role => (MEASURED_ROLES as readonly string[]).includes(name)

const fromFirst = (values: readonly (number | null)[]): readonly (number | null)[] => {
  const first = values.findIndex(value => value !== null)
  return first === -1 ? [] : values.slice(first)
}

/** A process that is none of the bundle's roles has no line. */
export const useUsage = (): UsageOf => {
  const { value } = useFigures('hour', NAMES)
  return ({ name }, what) =>
    value !== null && isRole(name) ? fromFirst(value[`${name}${what === 'cpu' ? 'Cpu' : 'Memory'}`]) : []
}
