// A REST door over a memory store, for tests: with a queue that only listens, and a clock that can be moved.
// Every answer that it gives is held against the document of the API.

import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Registration } from '../../src/access/access.ts'
import { createAuditedAccess } from '../../src/access/audited-access.ts'
import { openCursorSeals } from '../../src/access/cursor-seals.ts'
import type { OidcOptions } from '../../src/access/oidc/options.ts'
import { openAccess } from '../../src/access/open.ts'
import { createApp } from '../../src/api/app.ts'
import { createDocument, describedRoutes } from '../../src/api/openapi.ts'
import type { Actor } from '../../src/core/actor.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { createAuditedService } from '../../src/core/audited-service.ts'
import type { DeadMessages } from '../../src/core/dead-messages.ts'
import { defineKind, loadKind, type NamedKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { start, succeed } from '../../src/core/moves.ts'
import type { AccountRole, Anonymous } from '../../src/core/policy.ts'
import type { QueueState } from '../../src/core/queue.ts'
import { NO_QUOTAS, type QuotaLimits } from '../../src/core/quotas.ts'
import type { Readiness } from '../../src/core/readiness.ts'
import { createService, type Service, type ServiceDeps } from '../../src/core/service.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { Json, TaskRecord } from '../../src/core/task.ts'
import { NO_UPLOAD_LIMITS, type UploadLimits } from '../../src/core/upload-room.ts'
import { clientKeyOf } from '../../src/platform/client-address.ts'
import type { HostSnapshot } from '../../src/platform/host.ts'
import { type Log, silentLog } from '../../src/platform/log.ts'
import type { Upgrade } from '../../src/platform/upgrade.ts'
import { createHttpRpc } from '../../src/rpc/http.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { anybody, person } from '../support/actors.ts'
import { checkAnswer, createDocumentCheck, type DocumentCheck } from '../support/document-check.ts'
import { createNotingQueue } from '../support/noting-queue.ts'

const calcpi = defineKind({
  summary: 'Pi',
  params: z.strictObject({
    digits: z.int().min(0).max(10_000),
    method: z.enum(['wijngaarden', 'plain']).default('wijngaarden'),
    pace: z.number().min(0).max(3600).default(0),
  }),
  result: z.string(),
  example: { digits: 3, method: 'plain' as const, pace: 0 },
  run: () => '3.14',
})
const echo = defineKind({
  summary: 'Says it again',
  params: z.json(),
  result: z.json(),
  example: 'hello',
  run: params => params,
})

export const HOST: HostSnapshot = {
  sampledAt: '2026-01-31T12:00:00.000Z',
  name: 'machine',
  uptimeSeconds: 5,
  os: { platform: 'linux', name: null, kernel: '6', arch: 'x64' },
  cpu: { model: null, cores: 2, physicalCores: null, loadPercent: 12.5, loadPercentPerCore: [10, 15] },
  loadAverages: [0.1, 0.2, 0.3],
  memory: { totalBytes: 100, availableBytes: 40, usedBytes: 60, usedPercent: 60 },
  disks: [],
  addresses: [],
  container: null,
}

export interface FixtureOptions {
  allowedHosts?: string[]
  corsOrigins?: string[]
  maxWaiting?: number
  quotas?: Partial<QuotaLimits>
  uploads?: Partial<UploadLimits>
  /** Instead of a memory store; closed with the fixture. */
  store?: TaskStore
  readiness?: () => Promise<Readiness>
  log?: Log
  /** What the queue says about its length. */
  depth?: () => Promise<number>
  /** The queue's dead messages. */
  dead?: DeadMessages
  /** What a stranger may do; left out: what an operator may. */
  anonymous?: Anonymous
  registration?: Registration
  /** Sign-in by OpenID Connect; left out: there is none. */
  oidc?: OidcOptions
  /** Kinds beside `calcpi` and `echo`. */
  kinds?: readonly NamedKind[]
  /** How the types of uploads are found; left out: nothing is known of them. */
  typeOf?: NonNullable<ServiceDeps['uploads']>['typeOf']
  /** Replaces parts of the service. */
  service?: Partial<Service>
}

let check: DocumentCheck | null = null
/** The app, and what it answered that its document does not say. */
const holdToDocument = (app: ReturnType<typeof createApp>): string[] => {
  check ??= createDocumentCheck(createDocument(describedRoutes(app), '1.2.3'))
  const [held, misfits, answer] = [check, [] as string[], app.fetch]
  app.fetch = async (request, ...rest) => {
    const answered = await answer(request, ...rest)
    // then nothing is answered over HTTP
    if ((rest[0] as { upgrade?: Upgrade } | undefined)?.upgrade?.isTaken()) return answered
    return checkAnswer(held, request, answered, misfit => misfits.push(misfit))
  }
  return misfits
}

/** Of all accounts that `logIn` makes. */
export const PASSWORD = 'long enough for a test'

export const createFixture = (options: FixtureOptions = {}) => {
  let passed = 0
  let logins = 0
  const clock = () => new Date(Date.now() + passed)
  const store = options.store ?? createMemoryStore({ clock })
  const state: QueueState = { status: 'ready', reason: null, outbox: 0 }
  const { queue, announced } = createNotingQueue({
    name: 'listening',
    state: () => state,
    ...(options.depth ? { depth: options.depth } : {}),
    ...(options.dead ? { dead: options.dead } : {}),
  })
  const kinds = createKinds(
    [loadKind('calcpi', calcpi, 'calcpi.ts'), loadKind('echo', echo, 'echo.ts'), ...(options.kinds ?? [])],
    [{ name: 'broken', file: 'broken.mjs', reason: 'no luck' }],
  )
  const closing = new AbortController()
  const record = createAuditRecorder({
    trail: store.audit,
    clock,
    onFailed: error => {
      throw error
    },
  })
  const service = {
    ...createAuditedService(
      createService({
        store,
        queue,
        kinds,
        clock,
        maxWaiting: options.maxWaiting ?? null,
        quotas: { limits: { ...NO_QUOTAS.limits, ...options.quotas }, clientOf: clientKeyOf },
        uploads: {
          limits: { ...NO_UPLOAD_LIMITS, ...options.uploads },
          ttlMs: 86_400_000,
          typeOf: options.typeOf ?? (async () => 'application/octet-stream'),
        },
        cursorSeal: openCursorSeals(store.documents),
      }),
      record,
    ),
    ...options.service,
  }
  const access = createAuditedAccess(
    openAccess({
      documents: store.documents,
      feed: store,
      anonymous: options.anonymous ?? 'full',
      registration: options.registration ?? 'invite',
      oidc: options.oidc ?? null,
      clock,
      log: options.log ?? silentLog(),
    }),
    record,
  )
  const app = createApp({
    service,
    access,
    audit: record,
    host: { snapshot: () => HOST },
    rpc: createHttpRpc({
      service,
      access,
      machine: { snapshot: () => HOST },
      clock,
      log: options.log ?? silentLog(),
      version: '1.2.3',
    }),
    readiness: options.readiness ?? (async () => ({ ok: true, checks: {} })),
    log: options.log ?? silentLog(),
    allowedHosts: options.allowedHosts ?? [],
    corsOrigins: options.corsOrigins ?? [],
    clock,
    version: '1.2.3',
    closing: closing.signal,
  })
  const misfits = holdToDocument(app)

  const submit = async (kind: string, params: Json, more: object = {}): Promise<TaskRecord> =>
    (await service.submit(anybody(), { kind, params, ...more })).task
  return {
    app,
    store,
    service,
    access,
    announced,
    state,
    submit,
    /** Lets so many milliseconds pass for everything that looks at the clock. */
    pass(ms: number) {
      passed += ms
    },
    /** Claims a task as a worker does. */
    run: (id: string) => store.claim(id, start('worker', clock().toISOString())),
    /** A task that has run and ended with this result; `blob` holds it when it is large. */
    async ended(result: Json, blob?: { name: string; bytes: Uint8Array }): Promise<TaskRecord> {
      const { id } = await submit('echo', null)
      const claimed = await store.claim(id, start('worker', clock().toISOString()))
      if (!claimed) throw new Error('The task was not claimed')
      if (blob) await store.putBlob(id, blob.name, blob.bytes)
      return store.move(
        id,
        claimed.claim,
        succeed(result, blob ? blob.bytes.length : null, clock().toISOString()),
      )
    },
    post: (path: string, body: unknown, headers: Record<string, string> = {}) =>
      app.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    /** Makes an account of this name where there is none, and logs in. */
    async logIn(name: string, role: AccountRole): Promise<{ id: string; token: string; actor: Actor }> {
      logins += 1
      // one address may try so often
      const from = { via: 'rest', address: `192.0.2.${logins}`, agent: null } as const
      const account = { name, password: PASSWORD, invitation: null, role }
      const made = await access.register(person('admin', 'admin'), account, from)
      const { token } = await access.logIn({ name, password: PASSWORD }, from)
      return { id: made.id, token, actor: await access.identify(token, 'rest') }
    },
    /** As the door does when it closes. */
    endStreams: () => closing.abort(),
    async close() {
      closing.abort()
      await access.close()
      await store.close()
      assert.deepEqual(misfits, [])
    },
  }
}

export type Fixture = ReturnType<typeof createFixture>

/** The answer's JSON, which the test says the shape of. */
export const jsonOf = async <T = Record<string, unknown>>(response: Response): Promise<T> =>
  (await response.json()) as T
