// Where what has the focus goes away, something near gets it, so that a reader without a mouse need not begin anew.
import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

export interface NearFocus<E extends HTMLElement> {
  /** Of what gets the focus. It needs a `tabIndex`. */
  near: RefObject<E | null>
  /** For the element around all that may go away; it is drawn whenever something does. */
  onFocusCapture: (event: FocusEvent) => void
}

export const useNearFocus = <E extends HTMLElement>(): NearFocus<E> => {
  const near = useRef<E>(null)
  const last = useRef<Element | null>(null)
  useLayoutEffect(() => {
    if (!last.current || last.current.isConnected) return
    const { activeElement } = document
    // a question gives the focus back when it closes, and only then can it be lost
    if (activeElement?.closest('dialog')) return
    last.current = null
    if (activeElement === document.body) near.current?.focus({ preventScroll: true })
  })
  return {
    near,
    onFocusCapture({ target }) {
      if (target instanceof Element) last.current = target
    },
  }
}
