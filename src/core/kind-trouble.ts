// A kind of a user's whose file cannot be used: its name, why, and where that is known from. The other kinds run. No
// I/O.
export interface KindTrouble {
  /** The kind's name: that of the file without its ending. */
  name: string
  /** The file's name, without its folder; of several that define one kind, all of them. */
  file: string
  /** For people, on one line, without paths outside the folder. */
  reason: string
}

/** A process, and what it publishes of kinds that it cannot use: the part of its presence that is read here. */
interface Teller {
  alive: boolean
  role: string
  details: { kindsInTrouble?: readonly KindTrouble[] }
}

/** With the roles whose processes could not use the file: it may have been mended between two starts. */
export interface SeenKindTrouble extends KindTrouble {
  roles: string[]
}

const REASON_LENGTH = 500
/** In one text for people, so many are named. */
const NAMED = 5

/** An absolute path, or a URL of a file: everything before its last part. An address of the web is none. */
const FOLDERS = /(?<![\w:/.-])(?:file:\/\/)?\/(?:[^\s'"`:()/]+\/)+/g

/** A reason as anybody may read it: bounded, on one line, no folder of this machine in it. */
export const publicReason = (text: string): string => {
  const plain = text
    .replace(FOLDERS, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
  const letters = [...plain]
  return letters.length > REASON_LENGTH ? `${letters.slice(0, REASON_LENGTH).join('')}...` : plain
}

/** `file: reason` of each, the first few. */
export const troublesInWords = (troubles: readonly KindTrouble[]): string => {
  const named = troubles.slice(0, NAMED).map(({ file, reason }) => `${file}: ${reason}`)
  const rest = troubles.length - named.length
  return [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ')
}

/** What this process and the living others cannot use, by name; one that several tell of alike is told once. */
export const seenKindTroubles = (
  own: readonly KindTrouble[],
  presences: readonly Teller[],
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
