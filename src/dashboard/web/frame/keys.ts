// The keyboard: which keys do what, while the part of the page that wants them is shown. Letters go by their place on
// the keyboard, so that they work with a Russian layout too.
import { useEffect, useRef } from 'preact/hooks'
import { createCell } from '../state/cell.ts'
import { keysOn } from '../state/preferences.ts'

export interface Key {
  /** For the list of keys. */
  label: string
  /** `everywhere` stands in a part of its own. */
  scope?: 'everywhere'
  run: () => void
}

/** By the keys as they are typed: `j`, `?`, `Enter`, `g t`, `Shift+x`. */
export type KeyMap = Readonly<Record<string, Key>>

/** All that work now, the newest last. */
export const keyMaps = createCell<readonly KeyMap[]>([])

const SECOND_MS = 1_500
let first = ''
let firstTimer: ReturnType<typeof setTimeout> | undefined

/** What was typed: a letter by its place, anything else by its sign. */
const nameOf = (event: KeyboardEvent): string => {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase()
  if (letter === undefined) return event.key
  return event.shiftKey ? `Shift+${letter}` : letter
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)) ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement)

/** Enter and space press what has the focus. */
const pressesFocus = (event: KeyboardEvent): boolean =>
  ['Enter', ' '].includes(event.key) &&
  event.target instanceof HTMLElement &&
  event.target.closest('a, button, summary, input') !== null

const onKey = (event: KeyboardEvent): void => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !keysOn.get()) return
  if (isTyping(event.target) || pressesFocus(event) || document.querySelector('dialog[open]')) return
  const name = nameOf(event)
  const both = first === '' ? name : `${first} ${name}`
  clearTimeout(firstTimer)
  first = ''
  const maps = keyMaps.get().toReversed()
  const found = maps.find(map => map[both])?.[both]
  if (found) {
    event.preventDefault()
    found.run()
    return
  }
  if (!maps.some(map => Object.keys(map).some(keys => keys.startsWith(`${name} `)))) return
  first = name
  firstTimer = setTimeout(() => {
    first = ''
  }, SECOND_MS)
}

/** At the start of the page. */
export const startKeys = (): void => addEventListener('keydown', onKey)

/** Keys that work while the component is shown. */
export const useKeys = (map: KeyMap): void => {
  const latest = useRef(map)
  latest.current = map
  useEffect(() => {
    // always the newest functions, without registering anew at every drawing
    const live: KeyMap = new Proxy({} as Record<string, Key>, {
      get: (_, name) => latest.current[name as string],
      ownKeys: () => Object.keys(latest.current),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
    })
    keyMaps.set([...keyMaps.get(), live])
    return () => keyMaps.set(keyMaps.get().filter(each => each !== live))
  }, [])
}
