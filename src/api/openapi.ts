// The document of the REST API, OpenAPI 3.1: made from what the routes of the app say about themselves and from the
// schemas that read their input. Pure.
import type { Hono } from 'hono'
import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../core/errors.ts'
import type { ApiEnv } from './context.ts'
import { LOGIN_COOKIE, type Need } from './identify.ts'
import { INPUTS, OUTPUTS } from './named-schemas.ts'
import { type Answer, type Content, type Operation, operationOf, TAGS } from './operation.ts'
import { PROBLEM_TYPE } from './problem.ts'
import { RATE_LIMIT_HEADERS } from './rate-limit.ts'
import { problem } from './schemas.ts'

type Node = Record<string, unknown>

/** A method and a path as OpenAPI writes them, with what is said about them; null: nothing. */
export interface DescribedRoute {
  method: string
  /** `/task/{id}` */
  path: string
  operation: Operation | null
}

/** Codes that any operation can answer with. */
const COMMON: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'HOST_NOT_ALLOWED',
  'URI_TOO_LONG',
  'INTERNAL',
  'STORE_UNAVAILABLE',
]
const SCOPED: readonly ErrorCode[] = ['UNAUTHORIZED', 'SCOPE_MISSING']
/** Codes of operations that need a scope, or a login. */
const OF_NEED: Readonly<Record<Need, readonly ErrorCode[]>> = {
  read: SCOPED,
  submit: SCOPED,
  operate: SCOPED,
  admin: SCOPED,
  login: ['UNAUTHORIZED'],
  anyone: ['UNAUTHORIZED'],
  open: [],
}
const OF_CHANGES: readonly ErrorCode[] = ['CROSS_SITE']
const OF_BODIES: readonly ErrorCode[] = ['BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']

const PATH_PARTS: Readonly<Record<string, z.ZodType>> = {
  id: z.uuid().describe('of a task; any UUID'),
}

/** The routes of an app, one entry per method and path, in their order. Call it when all routes are there. */
export const describedRoutes = (app: Hono<ApiEnv>): DescribedRoute[] => {
  const found = new Map<string, DescribedRoute>()
  for (const { method, path, handler } of app.routes) {
    if (method === 'ALL') continue
    const key = `${method} ${path}`
    const operation = operationOf(handler) ?? found.get(key)?.operation ?? null
    found.set(key, { method, path: path.replace(/:(\w+)/g, '{$1}'), operation })
  }
  return [...found.values()]
}

/** What says nothing to a reader is left out of JSON Schemas, and what clients must bear is allowed. */
const tidy = ({ jsonSchema, zodSchema }: { jsonSchema: Node; zodSchema: z.core.$ZodTypes }): void => {
  // the format says it, and the pattern is a line long
  if (typeof jsonSchema.format === 'string') delete jsonSchema.pattern
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  const names = jsonSchema.propertyNames as Node | undefined
  if (names && Object.keys(names).join() === 'type') delete jsonSchema.propertyNames
  // a later version may add fields
  if (zodSchema._zod.def.type === 'object' && !zodSchema._zod.def.catchall)
    delete jsonSchema.additionalProperties
}

/** The names under which a schema is found in the document. */
const refOf = (id: string): string => `#/components/schemas/${id}`

const components = (): Record<string, Node> => {
  const made = (registry: typeof INPUTS, io: 'input' | 'output') =>
    z.toJSONSchema(registry, { io, uri: refOf, override: tidy }).schemas as Record<string, Node>
  const all = { ...made(INPUTS, 'input'), ...made(OUTPUTS, 'output') }
  for (const schema of Object.values(all)) {
    delete schema.$schema
    delete schema.$id
  }
  return all
}

const schemaOf = (type: string, schema: z.ZodType | null, registry: typeof INPUTS): Node => {
  if (schema === null) return type.startsWith('text/') ? { type: 'string' } : {}
  const id = registry.get(schema)?.id
  if (id === undefined) throw new Error(`A schema of ${type} has no name: schemas.ts gives names`)
  return { $ref: refOf(id) }
}

const contentOf = (content: Content, registry: typeof INPUTS, more: Node = {}): Node =>
  Object.fromEntries(
    Object.entries(content).map(([type, schema]) => [
      type,
      { schema: schemaOf(type, schema, registry), ...more },
    ]),
  )

const headersOf = (headers: Answer['headers']): Node =>
  Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, description]) => [
      name.replace(/\?$/, ''),
      { description, required: !name.endsWith('?'), schema: { type: 'string' } },
    ]),
  )

const answerOf = ({ description, content, headers }: Answer): Node => ({
  description,
  ...(headers ? { headers: headersOf(headers) } : {}),
  ...(content ? { content: contentOf(content, OUTPUTS) } : {}),
})

/** The error answers of an operation, one per status, each with the codes it may carry. */
const errorsOf = (operation: Operation, changes: boolean): Record<string, Node> => {
  const codes = [
    ...COMMON,
    ...OF_NEED[operation.need],
    ...(changes ? OF_CHANGES : []),
    ...(operation.body ? OF_BODIES : []),
    ...(operation.errors ?? []),
  ]
  const byStatus = new Map<number, Set<ErrorCode>>()
  for (const code of codes) {
    const { status } = ERRORS[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, set]) => {
        const list = [...set]
        const headers = {
          ...(status === 429 || status === 503 ? { 'Retry-After': 'seconds until it may succeed' } : {}),
          ...(set.has('QUOTA_EXCEEDED') ? RATE_LIMIT_HEADERS : {}),
        }
        return [
          String(status),
          {
            description: list.map(code => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
            ...(Object.keys(headers).length > 0 ? { headers: headersOf(headers) } : {}),
            content: {
              [PROBLEM_TYPE]: {
                schema: {
                  allOf: [
                    schemaOf(PROBLEM_TYPE, problem, OUTPUTS),
                    { type: 'object', properties: { status: { const: status }, code: { enum: list } } },
                  ],
                },
              },
            },
          },
        ]
      }),
  )
}

/** Answers and errors by status; where both have one, a body of either kind. */
const responsesOf = (answers: Operation['answers'], errors: Record<string, Node>): Node => {
  const responses: Record<string, Node> = { ...errors }
  for (const [status, answer] of Object.entries(answers)) {
    const [own, error] = [answerOf(answer), errors[status]]
    responses[status] = error
      ? {
          ...own,
          description: `${own.description} ${error.description}`,
          content: { ...(own.content as Node), ...(error.content as Node) },
        }
      : own
  }
  return responses
}

/** A parameter, its description moved from the schema to where tools look for it. */
const parameterOf = (name: string, place: 'path' | 'query', schema: z.ZodType): Node => {
  const { $schema: _, description, ...rest } = z.toJSONSchema(schema, { io: 'input', override: tidy }) as Node
  return {
    name,
    in: place,
    ...(place === 'path' ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }
}

const parametersOf = (path: string, { path: parts, query, headers }: Operation): Node[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    parameterOf(name, 'path', parts?.[name] ?? PATH_PARTS[name] ?? z.string()),
  ),
  ...Object.entries(query?.parameters ?? {}).map(([name, schema]) => parameterOf(name, 'query', schema)),
  ...Object.entries(headers ?? {}).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  })),
]

const operationNode = (method: string, path: string, operation: Operation): Node => {
  const { id, tag, summary, description, body, answers, need } = operation
  const parameters = parametersOf(path, operation)
  const changes = method !== 'GET' || operation.creates === true
  const example = body?.example === undefined ? {} : { example: body.example }
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [description, needOf(need)].filter(text => text !== undefined).join('\n\n'),
    ...securityOf(need),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { required: !body.optional, content: contentOf(body.content, INPUTS, example) } }
      : {}),
    responses: responsesOf(answers, errorsOf(operation, changes)),
  }
}

const ABOUT = `Submit tasks, watch them, and take their results.

Every error is an \`application/problem+json\` (RFC 9457) with a permanent \`code\`. Every answer carries
\`X-Request-Id\`, which the log has too. Each path answers \`OPTIONS\` with \`Allow\`, and \`HEAD\` where it has a
\`GET\` that only reads; any other method is 405 with \`Allow\`, any other path 404. A request that never became one is
400, 408 or 431.

Whatever creates or changes something is refused to pages of other web sites.`

const SECURITY = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'A key, or the token of a session.',
  },
  login: { type: 'apiKey', in: 'cookie', name: LOGIN_COOKIE, description: 'The cookie of POST /sessions.' },
}

/** Ways to call an operation. What may be called without a login, `ANONYMOUS` decides. */
const securityOf = (need: Need): Node => {
  if (need === 'open') return { security: [] }
  // as for the whole document
  return need === 'login' ? { security: [{ bearer: [] }, { login: [] }] } : {}
}

/** In words, for people. */
const needOf = (need: Need): string =>
  need === 'open' || need === 'anyone'
    ? 'Needs no login.'
    : need === 'login'
      ? 'Needs a login.'
      : `Needs the scope \`${need}\`.`

/** The document, as JSON has it. Routes that describe nothing are left out. */
export const createDocument = (routes: readonly DescribedRoute[], version: string): Node => {
  const paths: Record<string, Node> = {}
  for (const { method, path, operation } of routes) {
    if (!operation) continue
    const item = paths[path] ?? {}
    paths[path] = item
    item[method.toLowerCase()] = operationNode(method, path, operation)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Madhava',
      version,
      summary: 'A task server: long computations behind an API.',
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { login: [] }, {}],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: components(), securitySchemes: SECURITY },
  }
}
