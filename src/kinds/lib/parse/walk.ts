// Goes through a page's tree once, without recursion, since pages can be deep: takes notes and counts words.
import { type Collector, type Notes, noteElement } from './notes.ts'
import type { Node } from './tree.ts'
import { createWordCounter } from './words.ts'

/** Not text that people see. */
const UNSEEN = ['script', 'style', 'title', 'iframe', 'noembed', 'noframes', 'template', 'head']
/** Elements inside of a line. All others end a word. */
const INLINE =
  '#comment a abbr b bdi bdo big cite code data del dfn em font i ins kbd mark nobr q rb ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  )
/** Characters of a line that are counted together; a word that goes on behind them counts twice. */
const PIECE = 65_536
/** Nodes and characters until a pause. */
const PAUSE = 100_000
/** The text of one heading or link, before it is made tidy. */
const COLLECTED = 2_400

/** Pauses now and then. Gives the number of words. */
export function* walk(document: Node, notes: Notes): Generator<void, number> {
  const countWords = createWordCounter()
  const open: Collector[] = []
  let words = 0
  /** Seen since the last end of a line. */
  let line: string[] = []
  let lineLength = 0
  /** Nodes and characters since the last pause. */
  let work = 0
  /** The element that hides what is inside of it. */
  let hidden: Node | null = null
  const endLine = (): void => {
    if (line.length > 0) words += countWords(line.join(''))
    line = []
    lineLength = 0
  }
  const collect = (text: string): void => {
    for (const one of open)
      if (one.text.length < COLLECTED) one.text += text.slice(0, COLLECTED - one.text.length)
  }
  const enter = (node: Node): void => {
    if (node.name === '#text') {
      collect(node.text)
      return
    }
    if (!INLINE.includes(node.name)) {
      endLine()
      collect(' ')
    }
    if (!node.isHtml) return
    const collector = noteElement(node, notes)
    if (collector !== null) open.push(collector)
    if (hidden === null && UNSEEN.includes(node.name)) hidden = node
  }
  const leave = (node: Node): void => {
    if (node.name === '#text') return
    if (!INLINE.includes(node.name)) {
      endLine()
      collect(' ')
    }
    if (open.at(-1)?.node === node) {
      const collector = open.pop()
      collector?.done(collector.text)
    }
    if (hidden === node) hidden = null
  }
  let node: Node = document
  for (;;) {
    enter(node)
    work += 1
    if (node.name === '#text' && hidden === null)
      for (let at = 0; at < node.text.length; at += PIECE) {
        const piece = node.text.slice(at, at + PIECE)
        line.push(piece)
        lineLength += piece.length
        work += piece.length
        if (lineLength > PIECE) endLine()
        if (work > PAUSE) {
          work = 0
          yield
        }
      }
    if (node.first !== null) {
      node = node.first
      continue
    }
    while (node.next === null) {
      leave(node)
      // the parser may have been stopped, but parents are whole
      if (node.parent === null) return words
      node = node.parent
    }
    leave(node)
    node = node.next
  }
}
