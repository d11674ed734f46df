// GET /docs/rpc: the documentation of the Thrift service, as the compiler makes it from the interface: reference,
// diagram, and the interface itself. Served from files of our own, with nothing from elsewhere.
import { readFile } from 'node:fs/promises'
import { Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { describe, type Operation } from './operation.ts'

const HTML = 'text/html; charset=utf-8'
/** What is served, by name: nothing else is ever opened. */
const FILES = {
  'index.html': { at: 'gen/html/index.html', type: HTML },
  'rpcinterface.html': { at: 'gen/html/rpcinterface.html', type: HTML },
  'style.css': { at: 'gen/html/style.css', type: 'text/css; charset=utf-8' },
  'rpcinterface.svg': { at: 'gen/gv/rpcinterface.svg', type: 'image/svg+xml' },
  'rpcinterface.thrift': { at: 'idl/rpcinterface.thrift', type: 'text/plain; charset=utf-8' },
} as const
type FileName = keyof typeof FILES

const isFileName = (name: string): name is FileName => Object.hasOwn(FILES, name)
const ROOT = new URL('../../', import.meta.url)

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Madhava: Thrift</title>
<link rel="stylesheet" href="/docs/rpc/style.css">
<h1>Madhava over Thrift</h1>
<ul>
<li><a href="/docs/rpc/rpcinterface.html">Reference</a>: services, methods, structs and exceptions
<li><a href="/docs/rpc/rpcinterface.thrift">The interface</a>, to generate a client in any language from
<li><a href="/docs/rpc/rpcinterface.svg">Diagram</a>
</ul>
<p><a href="/docs/rpc/rpcinterface.svg"><img src="/docs/rpc/rpcinterface.svg" alt="Services and types" width="900"></a>
</html>
`

const page: Operation = {
  id: 'getRpcDocs',
  need: 'open',
  tag: 'server',
  summary: 'Documentation of the Thrift service: where to begin',
  answers: { 200: { description: 'A page.', content: { 'text/html': null } } },
}
const file: Operation = {
  id: 'getRpcDocsFile',
  need: 'open',
  tag: 'server',
  summary: 'Documentation of the Thrift service: reference, diagram, interface',
  path: { file: z.enum(Object.keys(FILES) as [FileName, ...FileName[]]).describe('which of them') },
  answers: {
    200: {
      description: 'The file.',
      content: { 'text/html': null, 'text/css': null, 'image/svg+xml': null, 'text/plain': null },
    },
  },
  errors: ['NOT_FOUND'],
}

const send = (c: ApiContext, type: string, body: string): Response =>
  c.body(body, 200, {
    'Content-Type': type,
    'Content-Length': String(Buffer.byteLength(body)),
    'Content-Security-Policy': "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'",
  })

export const rpcDocsRoutes = (): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/docs/rpc', describe(page), c => send(c, HTML, PAGE))
    .get('/docs/rpc/:file', describe(file), async c => {
      const name = c.req.param('file')
      if (!isFileName(name)) throw new MadhavaError('NOT_FOUND', 'There is nothing at this address')
      const { at, type } = FILES[name]
      return send(c, type, await readFile(new URL(at, ROOT), 'utf8'))
    })
