// The Accept headers of RFC 9110, as far as the choices of this door need them. Pure.

/** The weight that a header gives to a type that it names, 0 to 1; null when it does not name it. */
export const weightOf = (header: string, type: string): number | null => {
  for (const entry of header.split(',')) {
    const [name = '', ...parameters] = entry.split(';').map(part => part.trim().toLowerCase())
    if (name !== type) continue
    const weight = parameters
      .map(parameter => /^q\s*=\s*([01](?:\.\d{0,3})?)$/.exec(parameter)?.[1])
      .find(Boolean)
    return Math.min(1, Number(weight ?? 1))
  }
  return null
}

/** Whether `wanted` is asked for by its name, and at least as much as `usual`, which is sent otherwise. */
export const prefers = (header: string | undefined, wanted: string, usual: string): boolean => {
  const bounded = (header ?? '').slice(0, 2048)
  const weight = weightOf(bounded, wanted) ?? 0
  return weight > 0 && weight >= (weightOf(bounded, usual) ?? 0)
}
