// Which tasks of this tab are to be saved by themselves when they have ended. Each is saved once, over reloads too; who
// only follows a link to a task is sent nothing.
import { recall, remember } from '../../state/session-memory.ts'

const NAME = 'madhava.wanted'
const MOST = 50

const isList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(each => typeof each === 'string')

const wanted = (): string[] => recall(NAME, isList) ?? []

export const want = (id: string): void => remember(NAME, [...wanted(), id].slice(-MOST))

/** Whether it was wanted. From now on it no longer is. */
export const takeWanted = (id: string): boolean => {
  const ids = wanted()
  if (!ids.includes(id)) return false
  remember(
    NAME,
    ids.filter(each => each !== id),
  )
  return true
}

/** The browser's own download of an address of ours. */
export const save = (href: string, name: string): void => {
  const link = document.createElement('a')
  link.href = href
  link.download = name
  link.hidden = true
  document.body.append(link)
  link.click()
  link.remove()
}
