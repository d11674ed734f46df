// What the routes about the server itself say about themselves.
import { kindList } from './kind-schemas.ts'
import type { Operation } from './operation.ts'
import { hostStatus, jsonSchema, liveness, readinessAnswer } from './schemas.ts'

const JSON_TYPE = 'application/json'

export const getStatus: Operation = {
  id: 'getStatus',
  tag: 'server',
  summary: 'The machine, the processes, the queue and the tasks by status',
  answers: { 200: { description: 'As of now.', content: { [JSON_TYPE]: hostStatus } } },
}

export const getKinds: Operation = {
  id: 'getKinds',
  tag: 'server',
  summary: 'The kinds of tasks, with JSON Schema of params and result; and those whose files cannot be used',
  answers: { 200: { description: 'The kinds.', content: { [JSON_TYPE]: kindList } } },
}

export const getLivez: Operation = {
  id: 'getLivez',
  tag: 'server',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'It does.', content: { [JSON_TYPE]: liveness } } },
}

export const getReadyz: Operation = {
  id: 'getReadyz',
  tag: 'server',
  summary: 'Whether the bundle can do its work, with a reason per check',
  answers: {
    200: { description: 'It can, some checks perhaps degraded.', content: { [JSON_TYPE]: readinessAnswer } },
    503: { description: 'It cannot.', content: { [JSON_TYPE]: readinessAnswer } },
  },
}

export const getMetrics: Operation = {
  id: 'getMetrics',
  tag: 'server',
  summary: 'Figures for Prometheus',
  description: 'docs/operating.md lists them.',
  answers: { 200: { description: "Prometheus's text format.", content: { 'text/plain': null } } },
}

export const getDocument: Operation = {
  id: 'getDocument',
  tag: 'server',
  summary: 'This document: OpenAPI 3.1',
  answers: { 200: { description: 'The document.', content: { [JSON_TYPE]: jsonSchema } } },
}

export const getDocs: Operation = {
  id: 'getDocs',
  tag: 'server',
  summary: 'A reference page of this API, which can try calls',
  answers: { 200: { description: 'The page.', content: { 'text/html': null } } },
}

export const getDocsFile: Operation = {
  id: 'getDocsFile',
  tag: 'server',
  summary: 'What the reference page is made of',
  answers: {
    200: { description: 'The file.', content: { 'text/javascript': null, 'text/css': null } },
  },
  errors: ['NOT_FOUND'],
}
