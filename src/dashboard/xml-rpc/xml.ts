// Reads the small XML that XML-RPC needs, strictly: elements without attributes, text, the five named entities and
// numbers. A declaration of a document type, an entity of one's own, a comment, CDATA or a processing instruction is
// refused and not skipped, so there is nothing to expand, to load or to hide in. Size and depth are bounded. That is
// less code than the settings that make a general parser safe, and nothing to keep up with.

export interface Element {
  name: string
  /** All text directly in it, in order. */
  text: string
  children: Element[]
}

/** What was sent is no such XML. */
export class XmlError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'XmlError'
  }
}

export const XML_LIMITS = { characters: 64 * 1024, depth: 24, elements: 5_000 } as const

const DECLARATION = /^\s*<\?xml [^<>?]{0,100}\?>/
const TAG = /^<(\/?)([A-Za-z][A-Za-z0-9.]{0,31})[ \t\r\n]{0,8}(\/?)>/
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: "'", quot: '"' }
const ENTITY = /&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));|&/g

/** Characters that XML 1.0 may not have, in any spelling. */
const isCharacter = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)

const characterOf = (code: number): string => {
  if (!isCharacter(code)) throw new XmlError('a number stands for no character')
  return String.fromCodePoint(code)
}

const readText = (raw: string): string =>
  raw.replace(ENTITY, (_, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return characterOf(Number.parseInt(decimal, 10))
    if (hex !== undefined) return characterOf(Number.parseInt(hex, 16))
    const known = name === undefined ? undefined : ENTITIES[name]
    if (known === undefined) throw new XmlError('an entity is not known')
    return known
  })

/** The one element of a document. @throws XmlError */
export const parseXml = (document: string): Element => {
  if (document.length > XML_LIMITS.characters) throw new XmlError('it is too large')
  const text = document.replace(/^\ufeff/, '').replace(DECLARATION, '')
  const root: Element = { name: '', text: '', children: [] }
  const open: Element[] = [root]
  let count = 0
  for (let at = 0; at < text.length; ) {
    const here = open[open.length - 1] ?? root
    const next = text.indexOf('<', at)
    const end = next < 0 ? text.length : next
    if (end > at) here.text += readText(text.slice(at, end))
    if (next < 0) break
    const tag = TAG.exec(text.slice(next, next + 64))
    if (!tag) throw new XmlError('something is no plain element')
    const [whole, closes, name = '', empty] = tag
    at = next + whole.length
    if (closes) {
      if (empty || open.length < 2 || here.name !== name) throw new XmlError('an end has no beginning')
      open.pop()
      continue
    }
    count += 1
    if (count > XML_LIMITS.elements || open.length > XML_LIMITS.depth) throw new XmlError('it is too deep')
    const element: Element = { name, text: '', children: [] }
    here.children.push(element)
    if (!empty) open.push(element)
  }
  const [only, ...others] = root.children
  if (open.length !== 1 || !only || others.length > 0 || root.text.trim() !== '')
    throw new XmlError('it is not one whole element')
  return only
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '\r': '&#13;' }

/** Text for a document; what XML cannot hold is shown as U+FFFD. */
export const escapeXml = (text: string): string =>
  [...text.toWellFormed()]
    .map(character => {
      if (!isCharacter(character.codePointAt(0) ?? 0)) return '\ufffd'
      return ESCAPES[character] ?? character
    })
    .join('')
