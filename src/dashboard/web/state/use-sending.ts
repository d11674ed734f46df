// One file under way, as state: which one, how far, and whether its connection is broken.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ProblemError } from './api.ts'
import { dropUpload, type SendingState, sendFile, type UploadNote } from './send-file.ts'

export interface Sending extends SendingState {
  name: string
  bytes: number
}

export interface UseSending {
  /** Null: none is under way. */
  sending: Sending | null
  /** Null: it was stopped. @throws ProblemError */
  send(
    file: File,
    options?: { known?: string | null; begun?: (id: string) => void },
  ): Promise<UploadNote | null>
  /** Tries again now, where it waits. */
  tryNow(): void
  /** Ends it and gives up what has come. */
  stop(): void
}

/** Ends with the component, and what has come stays for a while. */
export const useSending = (): UseSending => {
  const [sending, setSending] = useState<Sending | null>(null)
  const current = useRef<{ ending: AbortController; now: EventTarget; id: string | null } | null>(null)
  useEffect(
    () => () => {
      current.current?.ending.abort()
      current.current = null
    },
    [],
  )
  return {
    sending,
    async send(file, { known = null, begun } = {}) {
      current.current?.ending.abort()
      const mine = { ending: new AbortController(), now: new EventTarget(), id: known }
      current.current = mine
      const { name, size: bytes } = file
      setSending({ name, bytes, sent: 0, broken: null })
      try {
        return await sendFile(file, {
          known,
          begun(id) {
            mine.id = id
            begun?.(id)
          },
          told(state: { sent: number; broken: ProblemError | null }) {
            if (current.current === mine) setSending({ name, bytes, ...state })
          },
          signal: mine.ending.signal,
          now: mine.now,
        })
      } catch (error) {
        if (mine.ending.signal.aborted) return null
        throw error
      } finally {
        if (current.current === mine) {
          current.current = null
          setSending(null)
        }
      }
    },
    tryNow: () => current.current?.now.dispatchEvent(new Event('now')),
    stop() {
      const stopped = current.current
      current.current = null
      stopped?.ending.abort()
      if (stopped?.id) dropUpload(stopped.id)
      setSending(null)
    },
  }
}
