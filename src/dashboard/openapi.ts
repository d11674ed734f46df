// The OpenAPI document of the dashboard's JSON API, and the route that serves it. A part of the dashboard adds what it
// answers as JSON to OPERATIONS; a test finds a route that is not there.
import { Hono } from 'hono'
import { z } from 'zod'
import { ERRORS, type ErrorCode } from '../core/errors.ts'
import { type DashboardEnv, requireRight } from './access/caller.ts'
import {
  figures,
  kindFigures,
  logPage,
  me,
  orderResult,
  overview,
  problem,
  processList,
  settings,
} from './answers.ts'
import { figuresQuery } from './figures/routes.ts'
import { logQuery } from './logs/routes.ts'
import { actionBody } from './processes/actions.ts'
import { ACTIONS } from './processes/processes.ts'

type Node = Record<string, unknown>

export interface Operation {
  method: 'GET' | 'POST'
  /** As OpenAPI writes it: `/processes/{name}/start`. */
  path: string
  id: string
  summary: string
  query?: z.ZodObject
  body?: z.ZodType
  /** By status: what it says, and its shape; null: text. */
  answers: Record<number, { description: string; schema: z.ZodType | null }>
  /** Codes beyond those of every operation. */
  errors?: readonly ErrorCode[]
}

const OF_ORDERS: readonly ErrorCode[] = [
  'FORBIDDEN',
  'DASHBOARD_STAYS',
  'CROSS_SITE',
  'NOT_FOUND',
  'PROCESS_BUSY',
  'SUPERVISOR_REFUSED',
  'SUPERVISOR_UNAVAILABLE',
  'PROCESS_FAILED',
]
const order = (action: (typeof ACTIONS)[number], all: boolean): Operation => ({
  method: 'POST',
  path: `/processes/${all ? 'all' : '{name}'}/${action}`,
  id: `${action}${all ? 'All' : 'Process'}`,
  summary: `${action[0]?.toUpperCase()}${action.slice(1)} ${all ? 'all processes' : 'a process'}; a stop of all leaves the dashboard.`,
  body: actionBody,
  answers: {
    200: { description: 'It is done, or there was nothing to do.', schema: orderResult },
    202: { description: 'It goes on, longer than one wanted to wait.', schema: orderResult },
  },
  errors: OF_ORDERS,
})

const OPERATIONS: readonly Operation[] = [
  {
    method: 'GET',
    path: '/me.json',
    id: 'getMe',
    summary: 'Who is logged in, what they may do, and the token for changes.',
    answers: { 200: { description: 'The login.', schema: me } },
  },
  {
    method: 'GET',
    path: '/processes.json',
    id: 'listProcesses',
    summary: 'The processes under the supervisor.',
    answers: { 200: { description: 'All of them.', schema: processList } },
    errors: ['SUPERVISOR_UNAVAILABLE'],
  },
  ...[false, true].flatMap(all => ACTIONS.map(action => order(action, all))),
  {
    method: 'GET',
    path: '/logs/{name}/{stream}.json',
    id: 'readLog',
    summary: 'A page of a log: its end, before or after a place, or around a moment. `stream` is out or err.',
    query: logQuery,
    answers: {
      200: { description: 'The page; it may be empty although there are pages before it.', schema: logPage },
    },
    errors: ['NOT_FOUND', 'BAD_CURSOR', 'CURSOR_TOO_OLD', 'SUPERVISOR_UNAVAILABLE'],
  },
  {
    method: 'GET',
    path: '/logs/{name}/{stream}.log',
    id: 'downloadLog',
    summary: 'The whole log as it was written, with the part that was kept aside.',
    answers: { 200: { description: 'The text.', schema: null } },
    errors: ['NOT_FOUND', 'SUPERVISOR_UNAVAILABLE'],
  },
]

const READINGS: readonly Operation[] = [
  {
    method: 'GET',
    path: '/overview.json',
    id: 'getOverview',
    summary: 'What is wrong right now, tasks by status, and the failures of the last day by cause.',
    answers: { 200: { description: 'What is not known in time is null.', schema: overview } },
  },
  {
    method: 'GET',
    path: '/figures.json',
    id: 'getFigures',
    summary: 'Figures of the last hour or week, as columns of one length.',
    query: figuresQuery,
    answers: { 200: { description: 'Null is a gap.', schema: figures } },
  },
  {
    method: 'GET',
    path: '/kinds.json',
    id: 'getKindFigures',
    summary: 'What each kind does: its tasks, its last runs, and its failures of the last day.',
    answers: { 200: { description: 'What is not known in time is null.', schema: kindFigures } },
  },
  {
    method: 'GET',
    path: '/settings.json',
    id: 'getSettings',
    summary: 'The settings in effect.',
    answers: { 200: { description: 'All of them, secrets masked.', schema: settings } },
  },
]

const COMMON: readonly ErrorCode[] = [
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'HOST_NOT_ALLOWED',
  'TOO_MANY_REQUESTS',
  'STORE_UNAVAILABLE',
  'INTERNAL',
]

/** What clients must bear is allowed: a later version may add fields. */
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Node => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema, zodSchema }) => {
      if (typeof jsonSchema.format === 'string') delete jsonSchema.pattern
      if (zodSchema._zod.def.type === 'object' && io === 'output') delete jsonSchema.additionalProperties
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  }) as Node
  return rest
}

const errorsOf = (codes: readonly ErrorCode[]): Node => {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus]
      .sort(([one], [other]) => one - other)
      .map(([status, list]) => [
        String(status),
        {
          description: list.map(code => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  )
}

const parametersOf = ({ path, query }: Operation): Node[] => [
  ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'stream' ? { enum: ['out', 'err'] } : { type: 'string' },
  })),
  ...Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema as z.ZodType, 'input')
    return { name, in: 'query', ...(description === undefined ? {} : { description }), schema: rest }
  }),
]

const operationNode = (operation: Operation): Node => {
  const { id, summary, body, answers, errors = [], method } = operation
  const parameters = parametersOf(operation)
  const own = Object.entries(answers).map(([status, { description, schema }]) => [
    status,
    {
      description,
      content: schema
        ? { 'application/json': { schema: schemaOf(schema, 'output') } }
        : { 'text/plain': { schema: { type: 'string' } } },
    },
  ])
  const ofBodies: readonly ErrorCode[] = body ? ['BODY_TOO_LARGE'] : []
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? {
          requestBody: {
            required: false,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }
      : {}),
    ...(method === 'POST'
      ? { security: [{ password: [] }, { session: [], token: [] }, { login: [], token: [] }] }
      : {}),
    responses: { ...Object.fromEntries(own), ...errorsOf([...COMMON, ...ofBodies, ...errors]) },
  }
}

const ABOUT = `The processes of a bundle and their logs, for pages and programs. The tasks have an API of their own.

A program sends HTTP basic auth. A page has a session, and sends the token of \`GET /me.json\` in \`X-CSRF-Token\` with
everything that changes something. \`may\` of \`GET /me.json\` says what a login may do: a user nothing here but look at
that. Accounts, logins, keys and invitations are those of the REST API, under \`/api\`. Every error is an
\`application/problem+json\` with a permanent \`code\`.`

/** As JSON has it. @param more operations of other parts of the dashboard */
export const createDashboardDocument = (version: string, more: readonly Operation[] = []): Node => {
  const paths: Record<string, Node> = {}
  for (const operation of [...OPERATIONS, ...READINGS, ...more])
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method.toLowerCase()]: operationNode(operation),
    }
  return {
    openapi: '3.1.0',
    info: {
      title: 'The dashboard of Madhava',
      version,
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ password: [] }, { session: [] }, { login: [] }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: {
        password: { type: 'http', scheme: 'basic' },
        session: { type: 'apiKey', in: 'cookie', name: 'madhava_session' },
        login: { type: 'apiKey', in: 'cookie', name: 'madhava_login' },
        token: { type: 'apiKey', in: 'header', name: 'X-CSRF-Token' },
      },
    },
  }
}

/** GET /openapi.json, for everybody who is logged in. */
export const createDocumentRoute = (version: string, more: readonly Operation[] = []): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  const text = JSON.stringify(createDashboardDocument(version, more))
  app.get('/openapi.json', requireRight('account'), c =>
    c.body(text, 200, { 'Content-Type': 'application/json' }),
  )
  return app
}
