// The files that tasks have made.
import { Hono } from 'hono'
import { z } from 'zod'
import type { ApiDeps, ApiEnv } from './context.ts'
import { FILE_ANSWERS, FILE_HEADERS, sendFile } from './file-answer.ts'
import { describe, type Operation } from './operation.ts'
import { UNKNOWN } from './task.ts'

const ofName = { name: z.string().describe("of the file, as the record's `artifacts` has it") }
const ERRORS = ['ARTIFACT_NOT_FOUND', 'RANGE_NOT_SATISFIABLE'] as const

const getArtifact: Operation = {
  id: 'getArtifact',
  need: 'read',
  tag: 'files',
  summary: 'A file that a task has made',
  description: 'Browsers save it and do not open it: nobody knows what a task has written.',
  path: ofName,
  headers: FILE_HEADERS,
  answers: FILE_ANSWERS,
  errors: [...UNKNOWN, ...ERRORS],
}

const getSharedArtifact: Operation = {
  id: 'getSharedArtifact',
  need: 'open',
  tag: 'files',
  summary: 'A file that a shared task has made',
  description: 'The link says enough: nobody has to log in.',
  path: { token: z.string().describe('of the link'), ...ofName },
  headers: FILE_HEADERS,
  answers: FILE_ANSWERS,
  errors: ['SHARE_NOT_FOUND', 'TASK_NOT_FOUND', ...ERRORS],
}

export const artifactRoutes = ({ service, access, log }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/task/:id/artifacts/:name', describe(getArtifact), async c => {
      const name = c.req.param('name')
      return sendFile(c, await service.artifact(c.get('actor'), c.req.param('id'), name), name, log)
    })
    .get('/shared/:token/artifacts/:name', describe(getSharedArtifact), async c => {
      const { task, actor } = await access.openShare(c.req.param('token'))
      const name = c.req.param('name')
      return sendFile(c, await service.artifact(actor, task, name), name, log)
    })
