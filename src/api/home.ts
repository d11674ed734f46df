// GET / as a page for people who open the address in a browser: what this is, and where to go from here. It has the
// style of the reference page, and nothing from elsewhere.
import { html } from 'hono/html'
import type { ServiceState } from '../core/service.ts'
import type { ApiContext } from './context.ts'

/** Nothing but the style sheet. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The port of a dashboard that is alive, one on this host first; null when none is known. */
const dashboardPort = (state: ServiceState | null, hostName: string): string | null => {
  const living = (state?.presences ?? []).filter(({ role, alive }) => role === 'dashboard' && alive)
  const found = living.find(({ host }) => host === hostName) ?? living[0]
  return /:(\d{1,5})$/.exec(found?.details.address ?? '')?.[1] ?? null
}

/** Of the address that the browser asked, which is how it reaches this machine. */
const dashboardLink = (c: ApiContext, port: string | null) => {
  if (port === null)
    return html`It is not known where: the dashboard does not run, or the store does not answer.`
  const { hostname } = new URL(c.req.url)
  return html`<a href="http://${hostname}:${port}/">http://${hostname}:${port}/</a>`
}

export interface Home {
  version: string
  /** The machine's name. */
  hostName: string
  /** Null: the store does not answer. */
  state: ServiceState | null
}

export const sendHome = (c: ApiContext, { version, hostName, state }: Home): Response => {
  // links are relative, so that they also hold where this API has a place below another address
  const page = String(html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Madhava on ${hostName}</title>
<link rel="stylesheet" href="docs/files/docs.css">
<main>
<h1>Madhava <small>${version} on ${hostName}</small></h1>
<p>A task server. This is the address of its REST API, where programs get JSON.</p>
<h2>For people</h2>
<p><b>Dashboard</b>, with processes, logs and tasks: ${dashboardLink(c, dashboardPort(state, hostName))}</p>
<p><a href="docs">Reference of the REST API</a>, where calls can be tried</p>
<p><a href="docs/rpc">Reference of the Thrift API</a></p>
<h2>For programs</h2>
<p><a href="openapi.json">openapi.json</a>: the REST API as a document</p>
<p><a href="kinds">kinds</a>: what can be computed, with a schema and an example of each</p>
<p><a href="tasks">tasks</a>: the newest tasks</p>
<p><a href="readyz">readyz</a> and <a href="metrics">metrics</a>: for those who watch the server</p>
<p class="soft">This address as JSON: <code>curl ${new URL(c.req.url).origin}/</code></p>
</main>
</html>
`)
  c.header('Content-Security-Policy', POLICY)
  c.header('Referrer-Policy', 'same-origin')
  return c.body(page, 200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(page)),
  })
}
