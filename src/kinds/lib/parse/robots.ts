// Reads robots.txt by RFC 9309: the groups that name us, else those for everybody; the longest rule that fits decides.

interface Rule {
  /** The pattern, cut at each `*`. */
  parts: string[]
  /** It ends with `$`. */
  isWhole: boolean
  length: number
  allow: boolean
}

/** Both sides of the comparison: what is not ASCII is escaped, and escapes have large letters. */
const normal = (path: string): string =>
  path
    .replace(/[^\x21-\x7e]+/g, text => encodeURIComponent(text.toWellFormed()))
    .replace(/%[0-9a-f]{2}/gi, text => text.toUpperCase())

const ruleOf = (value: string, allow: boolean): Rule => {
  const isWhole = value.endsWith('$')
  const pattern = normal(isWhole ? value.slice(0, -1) : value)
  return { parts: pattern.split(/\*+/), isWhole, length: pattern.length, allow }
}

/** Each part at its first place after the one before: if any way fits, this one does. */
const fits = ({ parts, isWhole }: Rule, path: string): boolean => {
  const [head = '', ...rest] = parts
  if (!path.startsWith(head)) return false
  const tail = isWhole ? rest.pop() : undefined
  let at = head.length
  for (const part of rest) {
    const place = path.indexOf(part, at)
    if (place < 0) return false
    at = place + part.length
  }
  if (!isWhole) return true
  if (tail === undefined) return at === path.length
  return path.length - at >= tail.length && path.endsWith(tail)
}

/** Longer than any path that is asked for. */
const MAX_LINE = 4_096
const fieldOf = (line: string): { key: string; value: string } => {
  const [text = ''] = line.split('#', 1)
  const colon = text.indexOf(':')
  return { key: text.slice(0, Math.max(0, colon)).trim().toLowerCase(), value: text.slice(colon + 1).trim() }
}

/** `Googlebot/2.1 (x)` -> `googlebot`. */
const productOf = (value: string): string => /^[a-z_-]*/.exec(value.toLowerCase())?.[0] ?? ''

/**
 * The rules of a robots.txt for one client.
 * @param agent its product token, such as `Madhava`
 * @returns whether it may fetch a path with its query
 */
export const readRobots = (text: string, agent: string): ((path: string) => boolean) => {
  const mine: Rule[] = []
  const everybodys: Rule[] = []
  let isNamed = false
  let isOurs = false
  let isForAll = false
  let isHead = false
  for (const line of text.split(/\r\n|\r|\n/)) {
    const { key, value } = fieldOf(line.slice(0, MAX_LINE))
    switch (key) {
      case 'user-agent':
        if (!isHead) {
          isOurs = false
          isForAll = false
        }
        isHead = true
        isOurs ||= productOf(value) === agent.toLowerCase()
        isNamed ||= isOurs
        isForAll ||= value === '*'
        break
      case 'allow':
      case 'disallow':
        isHead = false
        if (value === '' || !(isOurs || isForAll)) break
        for (const list of [...(isOurs ? [mine] : []), ...(isForAll ? [everybodys] : [])])
          list.push(ruleOf(value, key === 'allow'))
    }
  }
  const rules = isNamed ? mine : everybodys
  return path => {
    if (path === '/robots.txt') return true
    const wanted = normal(path)
    let best: Rule | null = null
    for (const rule of rules)
      if (
        (best === null || rule.length > best.length || (rule.length === best.length && rule.allow)) &&
        fits(rule, wanted)
      )
        best = rule
    return best?.allow ?? true
  }
}
