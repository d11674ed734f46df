// A user's kind whose file cannot be used: its name, the reason, and where that is known from. The other kinds run.
// No I/O.
export interface KindTrouble {
  /** The kind's name: the file's name without its extension. */
  name: string
  /** The file's name without its folder; all of them if several define the same kind. */
  file: string
  /** For people, on one line, without paths outside the folder. */
  reason: string
}

/** A process and the kinds that it could not load: the part of its presence that is read here. */
interface TroubleSource {
  alive: boolean
  role: string
  details: { kindsInTrouble?: readonly KindTrouble[] }
}

/** With the roles that could not load the file: it may have been repaired between two starts. */
export interface SeenKindTrouble extends KindTrouble {
  roles: string[]
}

const REASON_LENGTH = 500
/** How many one text for people names. */
const NAMED = 5

/** The folders of an absolute path or a file URL. Web addresses do not match. */
const FOLDERS = /(?<![\w:/.-])(?:file:\/\/)?\/(?:[^\s'"`:()/]+\/)+/g

/** A reason that anyone may read: short, on one line, without folders of this machine. */
export const publicReason = (text: string): string => {
  const plain = text
    .replace(FOLDERS, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  const letters = [...plain]
  return letters.length > REASON_LENGTH ? `${letters.slice(0, REASON_LENGTH).join('')}...` : plain
}

/** `file: reason` of each, the first few. */
export const describeTroubles = (troubles: readonly KindTrouble[]): string => {
  const named = troubles.slice(0, NAMED).map(({ file, reason }) => `${file}: ${reason}`)
  const rest = troubles.length - named.length
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ')
}

/** The kinds that this process or another live one could not load, by name. Equal reports appear once. */
export const seenKindTroubles = (
  own: readonly KindTrouble[],
  presences: readonly TroubleSource[],
): SeenKindTrouble[] => {
  const found = new Map<string, SeenKindTrouble>()
  const add = (trouble: KindTrouble, role: string | null): void => {
    const key = `${trouble.file}\n${trouble.reason}`
    const seen = found.get(key) ?? { ...trouble, roles: [] }
    found.set(key, seen)
    if (role !== null && !seen.roles.includes(role)) seen.roles.push(role)
  }
  for (const trouble of own) add(trouble, null)
  for (const { alive, role, details } of presences)
    if (alive) for (const trouble of details.kindsInTrouble ?? []) add(trouble, role)
  return [...found.values()]
    .map(trouble => ({ ...trouble, roles: trouble.roles.sort() }))
    .sort((a, b) => (a.name === b.name ? (a.file < b.file ? -1 : 1) : a.name < b.name ? -1 : 1))
}
