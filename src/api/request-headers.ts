// What request headers of RFC 9110 ask for: Accept and Accept-Encoding, If-None-Match, Range. Pure.
import { type TaskRecord, versionOf } from '../core/task.ts'

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

/** The version, quoted: strong, since a record changes with every move. */
export const etagOf = (task: Pick<TaskRecord, 'claim' | 'rev' | 'status' | 'revokeRequestedAt'>): string =>
  `"${versionOf(task)}"`

/** Whether an If-None-Match header names the tag: a list or `*`, compared weakly as RFC 9110 has it. */
export const matchesEtag = (header: string | undefined, etag: string): boolean => {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
}

/**
 * The versions that an If-Match header names; null: `*`, any version. A weak tag counts too: an answer that was packed
 * on its way has one, and its version is the same. What is no tag names no version.
 */
export const versionsIn = (header: string): string[] | null => {
  if (header.trim() === '*') return null
  return header.split(',').flatMap(tag => /^\s*(?:W\/)?"([^"]*)"\s*$/.exec(tag)?.[1] ?? [])
}

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * What a Range header asks of `size` bytes. Null: send the whole, as for headers that are malformed, in another
 * unit, or name several ranges, which a server may ignore.
 */
export const parseRange = (header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null => {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (!match) return null
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
