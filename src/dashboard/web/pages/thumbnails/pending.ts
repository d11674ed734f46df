// What the page remembers of an image on its way, so that a reload loses nothing that has been sent.
import { recall, remember } from '../../state/session-memory.ts'

export interface Pending {
  /** The id of the upload. */
  upload: string
  /** The key of the submission: a second one with it makes no second task. */
  key: string
  /** By which the same file is known again. */
  file: { name: string; size: number; modified: number }
  /** What is submitted, but for the image. */
  params: Record<string, unknown>
}

const NAME = 'madhava.thumbnails'

const isPending = (value: unknown): value is Pending => {
  const { upload, key, file, params } = (value ?? {}) as Partial<Pending>
  return (
    typeof upload === 'string' &&
    typeof key === 'string' &&
    typeof file?.name === 'string' &&
    typeof file.size === 'number' &&
    typeof params === 'object' &&
    params !== null
  )
}

export const pending = (): Pending | null => recall(NAME, isPending)
export const keepPending = (what: Pending | null): void => remember(NAME, what)

export const markOf = ({ name, size, lastModified }: File): Pending['file'] => ({
  name,
  size,
  modified: lastModified,
})

export const isSameFile = (file: File, { file: { name, size, modified } }: Pending): boolean =>
  file.name === name && file.size === size && file.lastModified === modified
