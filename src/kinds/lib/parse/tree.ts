// The tree that parse5 builds, as nodes that know their neighbours: each change takes one step, whatever a page does.
// It also counts, and stops a page that is too deep or has too many nodes.
import { html, type TreeAdapter, type TreeAdapterTypeMap } from 'parse5'

export interface Node {
  /** An element's tag, or `#text`, `#document`, `#comment`, `#doctype`. */
  name: string
  /** An element of HTML, not of SVG or MathML. */
  isHtml: boolean
  namespace: html.NS
  attributes: { name: string; value: string }[]
  /** Of a text. */
  text: string
  parent: Node | null
  previous: Node | null
  next: Node | null
  first: Node | null
  last: Node | null
  /** Of a `template`; no part of the page. */
  content: Node | null
}

export type TooMuch = 'depth' | 'nodes'
/** Thrown out of the parser. What was built until then is a tree. */
export class TreeLimit extends Error {
  readonly limit: TooMuch
  constructor(limit: TooMuch) {
    super(`the page has too much: ${limit}`)
    this.name = 'TreeLimit'
    this.limit = limit
  }
}

/** Browsers stop at this depth, too. */
export const MAX_DEPTH = 512
/** Elements, texts and attributes. About 200 bytes each. */
export const MAX_NODES = 400_000

type Nodes = TreeAdapterTypeMap<Node, Node, Node, Node, Node, Node, Node, Node, Node, Node>

/** In one piece: V8 keeps a text that was added to letter by letter as that many objects, until it is looked into. */
const flat = (text: string): string => {
  text.charCodeAt(0)
  return text
}

const nodeOf = (name: string): Node => ({
  name,
  isHtml: false,
  namespace: html.NS.HTML,
  attributes: [],
  text: '',
  parent: null,
  previous: null,
  next: null,
  first: null,
  last: null,
  content: null,
})

const detach = (node: Node): void => {
  const { parent, previous, next } = node
  if (parent === null) return
  if (previous === null) parent.first = next
  else previous.next = next
  if (next === null) parent.last = previous
  else next.previous = previous
  node.parent = null
  node.previous = null
  node.next = null
}

/** @param before null: at the end */
const insert = (parent: Node, node: Node, before: Node | null): void => {
  detach(node)
  const previous = before === null ? parent.last : before.previous
  node.parent = parent
  node.previous = previous
  node.next = before
  if (previous === null) parent.first = node
  else previous.next = node
  if (before === null) parent.last = node
  else before.previous = node
}

const childrenOf = (node: Node): Node[] => {
  const list: Node[] = []
  for (let child = node.first; child !== null; child = child.next) list.push(child)
  return list
}

/**
 * An adapter for one page.
 * @throws TreeLimit out of the parser
 */
export const createTree = (
  limits: { depth: number; nodes: number } = { depth: MAX_DEPTH, nodes: MAX_NODES },
): TreeAdapter<Nodes> => {
  let nodes = 0
  let depth = 0
  /** Names of attributes of `html` and `body`, which further tags of theirs add to. */
  const adopted = new Map<Node, Set<string>>()
  let mode = html.DOCUMENT_MODE.NO_QUIRKS
  const count = (more: number): void => {
    nodes += more
    if (nodes > limits.nodes) throw new TreeLimit('nodes')
  }
  const make = (name: string, text = ''): Node => {
    count(1)
    const node = nodeOf(name)
    node.text = text
    return node
  }
  const insertText = (parent: Node, text: string, before: Node | null): void => {
    const previous = before === null ? parent.last : before.previous
    if (previous?.name === '#text') previous.text += flat(text)
    else insert(parent, make('#text', flat(text)), before)
  }
  return {
    createDocument: () => make('#document'),
    createDocumentFragment: () => make('#fragment'),
    createElement(tagName, namespaceURI, attrs) {
      count(attrs.length)
      const node = make(tagName)
      node.isHtml = namespaceURI === html.NS.HTML
      node.namespace = namespaceURI
      node.attributes = attrs
      return node
    },
    // comments say nothing of a page
    createCommentNode: () => make('#comment'),
    createTextNode: text => make('#text', text),
    appendChild: (parent, node) => insert(parent, node, null),
    insertBefore: insert,
    detachNode: detach,
    insertText: (parent, text) => insertText(parent, text, null),
    insertTextBefore: insertText,
    adoptAttributes(node, attrs) {
      let names = adopted.get(node)
      if (names === undefined) {
        names = new Set(node.attributes.map(({ name }) => name))
        adopted.set(node, names)
      }
      for (const one of attrs) {
        if (names.has(one.name)) continue
        count(1)
        names.add(one.name)
        node.attributes.push(one)
      }
    },
    getAttrList: ({ attributes }) => attributes,
    getChildNodes: childrenOf,
    getFirstChild: ({ first }) => first,
    getParentNode: ({ parent }) => parent,
    getNamespaceURI: ({ namespace }) => namespace,
    getTagName: ({ name }) => name,
    getTextNodeContent: ({ text }) => text,
    getCommentNodeContent: () => '',
    getTemplateContent: node => node.content ?? node,
    setTemplateContent(node, content) {
      node.content = content
    },
    setDocumentType() {},
    getDocumentTypeNodeName: () => '',
    getDocumentTypeNodePublicId: () => '',
    getDocumentTypeNodeSystemId: () => '',
    getDocumentMode: () => mode,
    setDocumentMode(_document, next) {
      mode = next
    },
    isTextNode: (node): node is Node => node.name === '#text',
    isCommentNode: (node): node is Node => node.name === '#comment',
    isDocumentTypeNode: (_node): _node is Node => false,
    isElementNode: (node): node is Node => !node.name.startsWith('#'),
    getNodeSourceCodeLocation: () => null,
    setNodeSourceCodeLocation() {},
    updateNodeSourceCodeLocation() {},
    onItemPush() {
      depth += 1
      if (depth > limits.depth) throw new TreeLimit('depth')
    },
    onItemPop() {
      depth -= 1
    },
  }
}
