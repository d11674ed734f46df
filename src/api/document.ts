// GET /openapi.json: the document of all routes of the app.
import { Hono } from 'hono'
import type { ApiEnv } from './context.ts'
import { sendJsonText } from './json.ts'
import { createDocument, type DescribedRoute } from './openapi.ts'
import { describe } from './operation.ts'
import { getDocument } from './server-operations.ts'

/** @param routes of the whole app, asked for at the first request, when all of them are there */
export const documentRoutes = (routes: () => readonly DescribedRoute[], version: string): Hono<ApiEnv> => {
  // slow to make, and the same for all the life of a process
  let text: string | null = null
  return new Hono<ApiEnv>().get('/openapi.json', describe(getDocument), c => {
    text ??= JSON.stringify(createDocument(routes(), version), null, 2)
    return sendJsonText(c, text)
  })
}
