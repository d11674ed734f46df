// Names for processes that outlive them: `worker-0` is whoever does what the first worker did before. Series of figures
// are kept under such names, so that a restart makes no new ones.
export interface NamedProcess {
  instance: string
  role: string
  host: string
  /** ISO-8601. */
  startedAt: string
  up: boolean
}

export interface ProcessNames {
  /**
   * The name of each process by its instance: `<role>-<n>`, unique within a host, n as low as can be. One that is up
   * keeps its name; a successor takes that of one that is not, which then has none.
   */
  assign(present: readonly NamedProcess[]): Map<string, string>
}

export const createProcessNames = (): ProcessNames => {
  /** By role and host, then by instance. */
  const taken = new Map<string, Map<string, number>>()
  const lowest = (held: Iterable<number>): number => {
    const numbers = new Set(held)
    let number = 0
    while (numbers.has(number)) number += 1
    return number
  }

  const assignTo = (held: Map<string, number>, processes: readonly NamedProcess[]): void => {
    const known = new Map(processes.map(process => [process.instance, process]))
    for (const instance of held.keys()) if (!known.has(instance)) held.delete(instance)
    const order = processes.toSorted((a, b) =>
      a.startedAt === b.startedAt ? (a.instance < b.instance ? -1 : 1) : a.startedAt < b.startedAt ? -1 : 1,
    )
    for (const { instance, up } of order) {
      if (held.has(instance) || !up) continue
      const free = lowest([...held].filter(([other]) => known.get(other)?.up).map(([, number]) => number))
      for (const [other, number] of held) if (number === free) held.delete(other)
      held.set(instance, free)
    }
    for (const { instance, up } of order)
      if (!up && !held.has(instance) && held.size === 0) held.set(instance, lowest(held.values()))
  }

  return {
    assign(present) {
      const groups = new Map<string, NamedProcess[]>()
      for (const process of present) {
        const key = JSON.stringify([process.role, process.host])
        groups.set(key, [...(groups.get(key) ?? []), process])
      }
      for (const key of taken.keys()) if (!groups.has(key)) taken.delete(key)
      const names = new Map<string, string>()
      for (const [key, processes] of groups) {
        const held = taken.get(key) ?? new Map<string, number>()
        taken.set(key, held)
        assignTo(held, processes)
        for (const { instance, role } of processes) {
          const number = held.get(instance)
          if (number !== undefined) names.set(instance, `${role}-${number}`)
        }
      }
      return names
    },
  }
}
