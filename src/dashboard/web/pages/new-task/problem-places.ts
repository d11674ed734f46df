// Which of the server's problems belong to which field. Pure.
export interface FieldProblem {
  path: string
  problem: string
}

/** The nearest field: the problem's own, or the one that holds it. Those without any are left. */
export const placeProblems = (
  problems: readonly FieldProblem[],
  keys: readonly string[],
): { byKey: Map<string, string[]>; rest: FieldProblem[] } => {
  const byKey = new Map<string, string[]>()
  const rest: FieldProblem[] = []
  for (const found of problems) {
    const key = keys
      .filter(each => `${found.path}.`.startsWith(`${each}.`))
      .sort((a, b) => b.length - a.length)[0]
    if (key === undefined) rest.push(found)
    else {
      const inside = found.path.slice(key.length + 1)
      byKey.set(key, [
        ...(byKey.get(key) ?? []),
        inside === '' ? found.problem : `${inside}: ${found.problem}`,
      ])
    }
  }
  return { byKey, rest }
}
