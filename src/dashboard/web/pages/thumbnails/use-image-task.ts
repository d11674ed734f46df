// From a chosen image to its task: the upload, then the submission; over breaks of the connection and over a reload.
import { useEffect, useRef, useState } from 'preact/hooks'
import { passes, patience, waitAfter } from '../../state/again-later.ts'
import { type ProblemError, problemIn } from '../../state/api.ts'
import { dropUpload, getUpload, type UploadNote } from '../../state/send-file.ts'
import { newKey, submitOnce } from '../../state/submit-once.ts'
import { type UseSending, useSending } from '../../state/use-sending.ts'
import { want } from '../quick/wanted.ts'
import { isSameFile, keepPending, markOf, type Pending, pending } from './pending.ts'

export const KIND = 'thumbnails'
const TITLE = 200
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/gu

export interface ImageTask {
  upload: UseSending
  /** All bytes are there, and the task is being made. */
  isSubmitting: boolean
  /** What went wrong for good; or why it takes longer, while it is tried again. */
  problem: ProblemError | null
  /** An upload that a reload broke off: the same file goes on with it. */
  interrupted: { pending: Pending; sent: number } | null
  take(file: File, params: Record<string, unknown>): Promise<void>
  /** The reader does not want the interrupted one any more. */
  forget(): void
}

const titleOf = (name: string): string | undefined =>
  name.replace(UNPRINTABLE, '').trim().slice(0, TITLE).replace(UNPRINTABLE, '') || undefined

/** @param made the task is there */
export const useImageTask = (made: (id: string) => void): ImageTask => {
  const upload = useSending()
  const [isSubmitting, setSubmitting] = useState(false)
  const [problem, setProblem] = useState<ProblemError | null>(null)
  const [interrupted, setInterrupted] = useState<ImageTask['interrupted']>(null)
  const leaving = useRef<AbortController | null>(null)

  const submit = async (what: Pending, signal: AbortSignal): Promise<void> => {
    setSubmitting(true)
    try {
      const title = titleOf(what.file.name)
      const params = { image: { $upload: what.upload }, ...what.params }
      const submission = { kind: KIND, params, ...(title === undefined ? {} : { title }) }
      const id = await submitOnce(submission, what.key, { signal, broke: setProblem })
      want(id)
      keepPending(null)
      setProblem(null)
      made(id)
    } finally {
      setSubmitting(false)
    }
  }
  /** What was refused is of no use to anybody. */
  const giveUp = (error: unknown): void => {
    if (leaving.current?.signal.aborted) return
    const left = pending()
    keepPending(null)
    if (left) dropUpload(left.upload)
    setProblem(problemIn(error))
  }

  /** After a reload. The note of the upload says how far it had come. */
  const goOn = async (left: Pending, signal: AbortSignal): Promise<void> => {
    for (let fails = 1; ; fails += 1) {
      let note: UploadNote
      try {
        note = await getUpload(left.upload, signal)
      } catch (error) {
        signal.throwIfAborted()
        const found = problemIn(error)
        if (!passes(found)) return keepPending(null)
        setProblem(found)
        await patience(waitAfter(fails), signal)
        continue
      }
      setProblem(null)
      if (note.state === 'whole') await submit(left, signal)
      else setInterrupted({ pending: left, sent: note.bytes })
      return
    }
  }

  useEffect(() => {
    const mine = new AbortController()
    leaving.current = mine
    const left = pending()
    if (left)
      goOn(left, mine.signal).catch((error: unknown) => {
        if (!mine.signal.aborted) giveUp(error)
      })
    return () => mine.abort()
  }, [])

  return {
    upload,
    isSubmitting,
    problem,
    interrupted,
    async take(file, params) {
      const signal = leaving.current?.signal
      if (!signal || signal.aborted || isSubmitting) return
      setProblem(null)
      const before = interrupted?.pending ?? null
      const known = before && isSameFile(file, before) ? before.upload : null
      if (before && known === null) dropUpload(before.upload)
      setInterrupted(null)
      const key = before && known !== null ? before.key : newKey()
      const keep = (id: string): Pending => {
        const what = { upload: id, key, file: markOf(file), params }
        keepPending(what)
        return what
      }
      if (known !== null) keep(known)
      try {
        const note = await upload.send(file, { known, begun: id => void keep(id) })
        // stopped by the reader, who wants nothing of it to go on; or the page was left, and it may
        if (!note) return signal.aborted ? undefined : keepPending(null)
        await submit(keep(note.id), signal)
      } catch (error) {
        giveUp(error)
      }
    },
    forget() {
      if (interrupted) dropUpload(interrupted.pending.upload)
      keepPending(null)
      setInterrupted(null)
    },
  }
}
