// What every route of the REST API gets: its dependencies and the variables of a request.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'hono'
import type { Access, Origin } from '../access/access.ts'
import type { Actor } from '../core/actor.ts'
import type { AuditAction } from '../core/audit.ts'
import type { AuditRecorder } from '../core/audit-recorder.ts'
import type { Readiness } from '../core/readiness.ts'
import type { Service } from '../core/service.ts'
import type { Hold } from '../platform/byte-budget.ts'
import type { HostSnapshot } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import type { Client } from '../platform/serve.ts'
import type { Upgrade } from '../platform/upgrade.ts'
import type { HttpRpc } from '../rpc/http.ts'
import type { LoginWatch } from './streams.ts'

export interface ApiDeps {
  service: Service
  access: Access
  /** The machine's figures. */
  host: { snapshot(): HostSnapshot }
  readiness: () => Promise<Readiness>
  /** Answers calls of Thrift over HTTP. */
  rpc: HttpRpc
  log: Log
  /** Writes what is refused at the door; the rest is written behind it. */
  audit: Pick<AuditRecorder, 'noteRefusal'>
  /** Names that the Host header may have, beside localhost and IP addresses: HOST and ALLOWED_HOSTS. */
  allowedHosts: readonly string[]
  /** Origins whose pages may ask: CORS_ORIGINS. */
  corsOrigins?: readonly string[]
  clock: () => Date
  /** Fires when the server closes: streams and long polls end then. */
  closing: AbortSignal
  /** Of the package, shown by GET /. */
  version: string
}

export interface ApiEnv {
  Bindings: {
    /** Node's own request; there is none without a port. */
    incoming?: IncomingMessage
    outgoing?: ServerResponse
    client?: Client
    /** A request that wants to become a WebSocket. */
    upgrade?: Upgrade
    /** Who asks, where another door has found it out: the dashboard. Never from the request itself. */
    actor?: Actor
    /** Tells that the login of that actor has ended, where the other door knows it and `Access` does not. */
    watch?: () => LoginWatch
  }
  Variables: {
    requestId: string
    actor: Actor
    /** Why what was shown is no login; unset: it is one, or nothing was shown. */
    refusal?: unknown
    /** What this request takes of the bytes that all bodies may have together. */
    hold: Hold
    /** What was refused at the door; unset: the request has passed it, or nothing of that stands in the audit. */
    refused?: AuditAction | undefined
    /** Set for a page of an origin that CORS_ORIGINS names. */
    friend?: true
  }
}

export type ApiContext = Context<ApiEnv>

/** Where a request comes from, for the limits, the audit and the list of logins. */
export const originOf = (c: ApiContext): Origin => ({
  via: 'rest',
  address: c.env?.client?.address ?? null,
  agent: c.req.header('user-agent') ?? null,
})

/** Who counts as one client; null without a port, where nobody is known. */
export const clientKeyIn = (c: ApiContext): string | null => c.env?.client?.clientKey ?? null

/** Tells what stays open that the login of its actor has ended, or may do something else now. */
export const watchLogin = (c: ApiContext, access: Pick<Access, 'watch'>): LoginWatch =>
  c.env?.watch?.() ?? access.watch(c.get('actor'))
