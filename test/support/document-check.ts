// Holds answers of the REST door against its own document: status, content type, headers, and the body's schema.
// Stricter than the document in one point: a field that it does not name is a fault.
import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

type Node = Record<string, unknown>
interface Answer {
  headers?: Record<string, { required?: boolean }>
  content?: Record<string, { schema: Node }>
}
type Item = Record<string, { responses: Record<string, Answer> }>

/** An answer as it was seen; `body` is null where it is not to be looked at. */
export interface Seen {
  method: string
  path: string
  status: number
  headers: Headers
  body: string | null
}

export interface DocumentCheck {
  /** The path of the document that an address belongs to, or null. */
  pathOf(path: string): string | null
  /** What does not fit, or null. */
  misfit(seen: Seen): string | null
}

const PROBLEM = 'application/problem+json'

/** Fields that are not named count as faults, all the way down. */
const close = (node: unknown): unknown => {
  if (Array.isArray(node)) return node.map(close)
  if (typeof node !== 'object' || node === null) return node
  const closed = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, close(value)]))
  return 'properties' in closed && closed.type === 'object' && !('additionalProperties' in closed)
    ? { ...closed, additionalProperties: false }
    : closed
}

/** @param document as GET /openapi.json answers it */
export const createDocumentCheck = (document: Node): DocumentCheck => {
  const { components, paths } = document as { components: { schemas: Node }; paths: Record<string, Item> }
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, strictRequired: false })
  // the default export of a CommonJS module, which the types do not know
  ;(addFormats as unknown as typeof addFormats.default)(ajv)
  ajv.addSchema({ $id: 'doc:', components: { schemas: close(components.schemas) } } as Node, 'doc:')
  ajv.addKeyword('components')
  const validators = new Map<string, ValidateFunction>()
  const validatorOf = (schema: Node): ValidateFunction => {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"doc:#/components')
    const made = validators.get(text) ?? ajv.compile(JSON.parse(text))
    validators.set(text, made)
    return made
  }

  // those without parameters first: they win in the app too
  const templates = Object.keys(paths)
    .sort((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
    .map(path => ({
      path,
      pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    }))
  const pathOf = (path: string) => templates.find(({ pattern }) => pattern.test(path))?.path ?? null

  const wrongJson = (text: string, schema: Node): string | null => {
    const validate = validatorOf(schema)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return `the body is no JSON: ${text.slice(0, 100)}`
    }
    return validate(value) ? null : `the body: ${ajv.errorsText(validate.errors)}: ${text.slice(0, 300)}`
  }

  const wrongBody = (answer: Answer, { headers, body }: Seen): string | null => {
    const type = headers.get('content-type')?.split(';')[0]?.trim() ?? null
    if (!answer.content) return type === null && !body ? null : `a body of ${type} where none is described`
    const content = type === null ? undefined : (answer.content[type] ?? answer.content['*/*'])
    if (!content) return `the content type ${type}`
    if (body === null || Object.keys(content.schema).length === 0) return null
    if (type === 'application/x-ndjson') {
      const lines = body.split('\n').filter(line => line !== '')
      return lines.map(line => wrongJson(line, content.schema)).find(wrong => wrong !== null) ?? null
    }
    return type?.endsWith('json') ? wrongJson(body, content.schema) : null
  }

  const PROBLEMS: Answer = { content: { [PROBLEM]: { schema: { $ref: '#/components/schemas/Problem' } } } }
  const fits = (answer: Answer, seen: Seen): string | null => {
    for (const [name, { required }] of Object.entries(answer.headers ?? {}))
      if (required && !seen.headers.has(name)) return `without the header ${name}`
    return wrongBody(answer, seen)
  }

  const misfit = (given: Seen): string | null => {
    const { method, status } = given
    const seen = method === 'HEAD' ? { ...given, body: null } : given
    const path = pathOf(seen.path)
    // the guards come before the routes
    if (status === 403 || status === 414) return fits(PROBLEMS, seen)
    if (path === null) return status === 404 ? fits(PROBLEMS, seen) : `${status} at an unknown path`
    const item = paths[path] ?? {}
    if (method === 'OPTIONS' && status === 204) return seen.headers.has('allow') ? null : 'without Allow'
    const operation = item[method.toLowerCase()] ?? (method === 'HEAD' ? item.get : undefined)
    if (status === 405) return seen.headers.has('allow') ? fits(PROBLEMS, seen) : 'without Allow'
    const answer = operation?.responses[status]
    if (!answer) return 'a status that is not described'
    return fits(answer, seen)
  }

  return {
    pathOf,
    misfit(seen) {
      const wrong = misfit(seen)
      return wrong === null ? null : `${seen.method} ${seen.path} ${seen.status}: ${wrong}`
    },
  }
}

/** Bodies up to this size are looked at. */
const LOOK_BYTES = 2 * 1024 * 1024

/** The same answer; what passes by is kept and handed over at its end. */
const watched = (response: Response, look: (body: string | null) => void): Response => {
  if (response.body === null) return response
  const reader = response.body.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) {
          look(size <= LOOK_BYTES ? Buffer.concat(parts).toString() : null)
          controller.close()
          return
        }
        size += value.byteLength
        if (size <= LOOK_BYTES) parts.push(value)
        controller.enqueue(value)
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { status: response.status, headers: response.headers })
}

/**
 * Looks at an answer on its way and answers one that is the same. Throws for what is wrong at once; what a stream
 * turns out to be is told to `found`.
 */
export const checkAnswer = async (
  check: DocumentCheck,
  request: { method: string; url: string },
  response: Response,
  found: (misfit: string) => void,
): Promise<Response> => {
  const { status, headers } = response
  const { method } = request
  const { pathname: path } = new URL(request.url)
  const look = (body: string | null): void => {
    const wrong = check.misfit({ method, path, status, headers, body })
    if (wrong === null) return
    found(wrong)
    assert.fail(`The answer does not fit the document: ${wrong}`)
  }
  const plain = headers.get('content-encoding') === null
  if (!plain || response.body === null || Number(headers.get('content-length')) > LOOK_BYTES) {
    look(response.body === null ? '' : null)
    return response
  }
  if (!headers.has('content-length')) {
    look(null)
    return watched(response, look)
  }
  const bytes = new Uint8Array(await response.arrayBuffer())
  look(new TextDecoder().decode(bytes))
  return new Response(bytes, { status, headers })
}
