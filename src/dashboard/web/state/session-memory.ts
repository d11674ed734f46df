// What a page remembers for this tab, over a reload. Browsers may refuse storage: then it lasts until the page is left.
const kept = new Map<string, string>()

const read = (name: string): string | null => {
  try {
    return sessionStorage.getItem(name) ?? kept.get(name) ?? null
  } catch {
    return kept.get(name) ?? null
  }
}

/** Null removes it. */
export const remember = (name: string, value: unknown): void => {
  const text = value === null ? null : JSON.stringify(value)
  if (text === null) kept.delete(name)
  else kept.set(name, text)
  try {
    if (text === null) sessionStorage.removeItem(name)
    else sessionStorage.setItem(name, text)
  } catch {}
}

/** What another version of the page has left may have any form: null where `fits` says no. */
export const recall = <T>(name: string, fits: (value: unknown) => value is T): T | null => {
  const text = read(name)
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return fits(value) ? value : null
  } catch {
    return null
  }
}
