// What the API says about itself: GET /openapi.json, the document of all routes, and GET /docs, a reference page made
// from it. The page and its files are all our own.
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import type { ApiEnv } from './context.ts'
import { JSON_TYPE, sendJsonText } from './json.ts'
import { createDocument, type DescribedRoute } from './openapi.ts'
import { describe, type Operation } from './operation.ts'
import { jsonSchema } from './schemas.ts'
import { DOCS_STYLE } from './web/docs-style.ts'

const getDocs: Operation = {
  id: 'getDocs',
  need: 'open',
  tag: 'server',
  summary: 'A reference page of this API, which can try calls',
  answers: { 200: { description: 'The page.', content: { 'text/html': null } } },
}

const getDocsFile: Operation = {
  id: 'getDocsFile',
  need: 'open',
  tag: 'server',
  summary: 'What the reference page is made of',
  answers: {
    200: { description: 'The file.', content: { 'text/javascript': null, 'text/css': null } },
  },
  errors: ['NOT_FOUND'],
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Madhava: reference of the API</title>
<link rel="stylesheet" href="/docs/files/docs.css">
<main><noscript>This page is made by a script; <a href="/openapi.json">openapi.json</a> has all of it.</noscript></main>
<script type="module" src="/docs/files/docs.mjs"></script>
</html>
`

/** Nothing from elsewhere, nothing inline; calls go to this server alone. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const script = (name: string): string => readFileSync(new URL(`./web/${name}`, import.meta.url), 'utf8')

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const FILES: ReadonlyMap<string, { type: string; read: () => string }> = new Map([
  ['docs.css', { type: 'text/css; charset=utf-8', read: () => DOCS_STYLE }],
  ...['docs.mjs', 'docs-call.mjs', 'docs-schema.mjs'].map(
    name => [name, { type: JAVASCRIPT, read: () => script(name) }] as const,
  ),
])

export const docsRoutes = (): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/docs', describe(getDocs), c => {
      c.header('Content-Security-Policy', POLICY)
      // over plain HTTP nothing else shows that the page's own GET /calcpi is ours
      c.header('Referrer-Policy', 'same-origin')
      return c.body(PAGE, 200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': String(Buffer.byteLength(PAGE)),
      })
    })
    .get('/docs/files/:file', describe(getDocsFile), c => {
      const file = FILES.get(c.req.param('file'))
      if (!file) throw new MadhavaError('NOT_FOUND', 'The page has no such file')
      const text = file.read()
      return c.body(text, 200, {
        'Content-Type': file.type,
        'Content-Length': String(Buffer.byteLength(text)),
      })
    })

const getDocument: Operation = {
  id: 'getDocument',
  need: 'open',
  tag: 'server',
  summary: 'This document: OpenAPI 3.1',
  answers: { 200: { description: 'The document.', content: { [JSON_TYPE]: jsonSchema } } },
}

/** @param routes of the whole app, asked for at the first request, when all of them are there */
export const documentRoutes = (routes: () => readonly DescribedRoute[], version: string): Hono<ApiEnv> => {
  // slow to make, and the same for all the life of a process
  let text: string | null = null
  return new Hono<ApiEnv>().get('/openapi.json', describe(getDocument), c => {
    text ??= JSON.stringify(createDocument(routes(), version), null, 2)
    return sendJsonText(c, text)
  })
}
