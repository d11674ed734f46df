// XML-RPC's calls and answers: values to and from XML, by https://xmlrpc.com/spec.md, with `nil` and `i8` of later
// clients.
import { type Element, escapeXml, parseXml, XmlError } from './xml.ts'

export type Value = string | number | boolean | null | Value[] | { [name: string]: Value }

export interface Call {
  method: string
  params: Value[]
}

/** An answer that says no. `code` is one of supervisord's. */
export class Fault extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'Fault'
    this.code = code
  }
}

const onlyChild = (element: Element): Element => {
  const [child, ...others] = element.children
  if (!child || others.length > 0 || element.text.trim() !== '')
    throw new XmlError(`${element.name} has not one element`)
  return child
}

const leaf = (element: Element): string => {
  if (element.children.length > 0) throw new XmlError(`${element.name} has elements`)
  return element.text
}

const childrenNamed = (element: Element, name: string): Element[] => {
  if (element.text.trim() !== '' || element.children.some(child => child.name !== name))
    throw new XmlError(`${element.name} has something else than ${name}`)
  return element.children
}

const wholeNumber = (text: string): number => {
  const value = Number(text.trim())
  if (!/^\s*[+-]?\d{1,16}\s*$/.test(text) || !Number.isSafeInteger(value))
    throw new XmlError('no whole number')
  return value
}

const readNumber = (text: string): number => {
  if (!/^\s*[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})?\s*$/.test(text))
    throw new XmlError('no number')
  return Number(text)
}

const readBoolean = (text: string): boolean => {
  if (!['0', '1'].includes(text.trim())) throw new XmlError('a boolean is 0 or 1')
  return text.trim() === '1'
}

const readMember = (member: Element): [string, Value] => {
  const [name, value, ...others] = member.children
  if (name?.name !== 'name' || value?.name !== 'value' || others.length > 0)
    throw new XmlError('a member has a name and a value')
  return [leaf(name), readValue(value)]
}

/** By the name of the element in a `value`. */
const READERS: Readonly<Record<string, (element: Element) => Value>> = {
  string: leaf,
  int: element => wholeNumber(leaf(element)),
  i4: element => wholeNumber(leaf(element)),
  i8: element => wholeNumber(leaf(element)),
  double: element => readNumber(leaf(element)),
  boolean: element => readBoolean(leaf(element)),
  nil: () => null,
  array: element => {
    const data = onlyChild(element)
    if (data.name !== 'data') throw new XmlError('an array has data')
    return childrenNamed(data, 'value').map(readValue)
  },
  // as entries, so that no name of a member can be one of JavaScript's own
  struct: element => Object.fromEntries(childrenNamed(element, 'member').map(readMember)),
}

function readValue(value: Element): Value {
  // a value without a type is a string
  if (value.children.length === 0) return value.text
  const typed = onlyChild(value)
  const read = Object.hasOwn(READERS, typed.name) ? READERS[typed.name] : undefined
  if (!read) throw new XmlError(`the type ${typed.name} is not taken here`)
  return read(typed)
}

/** @throws XmlError */
export const readCall = (document: string): Call => {
  const call = parseXml(document)
  if (call.name !== 'methodCall') throw new XmlError('it is no methodCall')
  const [name, params, ...others] = call.children
  if (name?.name !== 'methodName' || others.length > 0 || (params && params.name !== 'params'))
    throw new XmlError('a methodCall has a methodName and params')
  const values = (params ? childrenNamed(params, 'param') : []).map(param => {
    const value = onlyChild(param)
    if (value.name !== 'value') throw new XmlError('a param has a value')
    return readValue(value)
  })
  return { method: leaf(name).trim(), params: values }
}

const writeValue = (value: Value): string => {
  if (value === null) return '<value><nil/></value>'
  if (typeof value === 'string') return `<value><string>${escapeXml(value)}</string></value>`
  if (typeof value === 'boolean') return `<value><boolean>${value ? 1 : 0}</boolean></value>`
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? `<value><int>${value}</int></value>`
      : `<value><double>${value}</double></value>`
  if (Array.isArray(value))
    return `<value><array><data>${value.map(writeValue).join('')}</data></array></value>`
  const members = Object.entries(value).map(
    ([name, one]) => `<member><name>${escapeXml(name)}</name>${writeValue(one)}</member>`,
  )
  return `<value><struct>${members.join('')}</struct></value>`
}

const HEAD = "<?xml version='1.0'?>\n<methodResponse>\n"

export const writeAnswer = (value: Value): string =>
  `${HEAD}<params><param>${writeValue(value)}</param></params>\n</methodResponse>\n`

export const writeFault = ({ code, message }: { code: number; message: string }): string =>
  `${HEAD}<fault>${writeValue({ faultCode: code, faultString: message })}</fault>\n</methodResponse>\n`
