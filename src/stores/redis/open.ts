// The Redis adapter of TaskStore: puts the parts together. Any number of processes on any hosts may open one prefix.
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import { parseTaskId } from '../../core/task.ts'
import { refuseInvalidRecord } from '../../core/task-check.ts'
import type { Log } from '../../platform/log.ts'
import { connectRedis } from '../../platform/redis.ts'
import type { RedisPlace } from '../../platform/redis-url.ts'
import type { SharedClock } from '../../platform/shared-clock.ts'
import { createLeftOutLog } from '../shared/left-out-log.ts'
import { createRates } from '../shared/rates.ts'
import { withStoreTrouble } from '../shared/store-trouble.ts'
import { createAudit } from './audit.ts'
import { beginStore } from './begin.ts'
import { createBlobs } from './blobs.ts'
import { createDocuments } from './documents.ts'
import { redisError, withOurErrors } from './errors.ts'
import { createFeed } from './feed.ts'
import { createHealth } from './health.ts'
import { createHeldClaims } from './held-claims.ts'
import { createLeases } from './leases.ts'
import { createLine } from './line.ts'
import { createLists } from './lists.ts'
import { createPicker } from './pick.ts'
import { decode, encode, keyHash, planOf, suspectsOf } from './records.ts'
import { createRetention } from './retention.ts'
import { createScripts } from './scripts.ts'
import { createTaskMover } from './task-mover.ts'
import { createUploadBytes } from './upload-bytes.ts'

export interface RedisStoreOptions {
  place: RedisPlace
  /** Begins every key, with a colon after it. */
  prefix: string
  clock: () => Date
  /** Told of Redis's own time at every beat. */
  sharedClock?: Pick<SharedClock, 'told'>
  log: Log
  /** The name of this host in presences. */
  host?: string
  /** How long a Redis that does not answer yet is waited for at the start, milliseconds. */
  patienceMs?: number
}

const PATIENCE_MS = 10_000

/** @throws STORE_UNAVAILABLE when this Redis cannot be used, with the reason */
export const openRedisStore = async (options: RedisStoreOptions): Promise<TaskStore> => {
  const {
    place,
    prefix: word,
    clock,
    sharedClock,
    log,
    host = hostname(),
    patienceMs = PATIENCE_MS,
  } = options
  const prefix = `${word}:`
  const key = (name: string): string => prefix + name
  const instance = randomBytes(6).toString('hex')
  const connection = connectRedis(place, `madhava-${instance}`)
  const redis = withOurErrors(connection)
  const scripts = createScripts(connection, prefix)

  const { epoch, byOwner } = await beginStore({ connection, scripts, place, word, instance, patienceMs, log })

  const isBound = async (hash: string): Promise<boolean> => {
    if (hash === '') return false
    const bound = (await redis.call('GET', key(`key:${hash}`))) as string | null
    return bound !== null && (await readJson(bound.split(' ', 1)[0] ?? '')) !== null
  }
  const readJson = async (id: string): Promise<string | null> =>
    (await redis.call('GET', key(`task:${id}`))) as string | null
  const readHash = async (name: string): Promise<Record<string, string>> => {
    const flat = (await redis.call('HGETALL', key(name))) as string[]
    return Object.fromEntries(
      Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', flat[2 * n + 1] ?? '']),
    )
  }

  const health = createHealth({ redis: connection, log })
  const leases = createLeases({
    scripts,
    instance,
    host,
    clock,
    processes: () => readHash('processes'),
    onBeat({ held, ...time }) {
      sharedClock?.told(time)
      health.beaten()
      mover
        .reconcile(held)
        .catch((error: unknown) => log.debug({ error }, 'what is held could not be compared'))
    },
    onMissed: health.missed,
  })
  const heldClaims = createHeldClaims({ scripts, instance, log })
  const mover = createTaskMover({
    scripts,
    heldClaims,
    leases,
    instance,
    clock,
    heldIds: async () => (await redis.call('SMEMBERS', key(`held:${instance}`))) as string[],
  })
  const picker = createPicker({
    scripts,
    heldClaims,
    mover,
    leases,
    instance,
    release: id => redis.call('ZREM', key('taking'), id),
    async passOver(json, kinds) {
      const [, id = ''] = /^{"id":"([^"]*)"/.exec(json) ?? []
      log.error({ id }, 'a record in Redis is not JSON; it is passed over')
      const sets = [...kinds].flatMap(kind => [kind, suspectsOf(kind)])
      await Promise.all(sets.map(set => redis.call('ZREM', key(`ready:${set}`), id)))
      await Promise.all([
        redis.call('HDEL', key('holders'), id),
        redis.call('SREM', key(`held:${instance}`), id),
      ])
    },
  })
  const lists = createLists({ scripts, byOwner })
  const rates = createRates((name, points, seconds, limit) =>
    scripts.run<[number, number]>('rate', name, points, seconds, limit),
  )
  const line = createLine(scripts, health)
  const blobs = createBlobs({
    scripts,
    instance,
    listed: id => readHash(`blobs:${id}`),
    keep: (name, ms) => redis.call('PEXPIRE', key(name), ms, 'XX'),
    unlink: name => redis.call('UNLINK', key(name)),
    claimOf: heldClaims.claimOf,
  })
  const uploads = createUploadBytes({
    scripts,
    parseId: parseTaskId,
    async sizeOf(id) {
      const size = (await redis.call('HGET', key('uploads'), id)) as string | null
      return size === null ? null : Number(size)
    },
    chunkOf: async (id, number) =>
      (await redis.callBuffer('HGET', key(`upload:${id}`), number)) as Buffer | null,
    forUpload: health.forNewTask,
  })
  const documents = createDocuments({
    scripts,
    readValue: async (collection, name) =>
      (await redis.call('HGET', key(`documents:${collection}`), name)) as string | null,
    tellLeftOut: createLeftOutLog(log),
  })
  const audit = createAudit({
    scripts,
    redis,
    key: key('audit'),
    instance,
    buryTheDead: leases.buryTheDead,
  })
  const retention = createRetention(scripts, readJson)
  const feed = createFeed({
    redis,
    openTail: () => connectRedis(place, `madhava-${instance}-feed`),
    key: key('feed'),
    epoch,
    readJson,
    clock,
    log,
  })

  let closing: Promise<void> | null = null
  const underWay = new Set<Promise<unknown>>()

  /** Every call: refused after close, and waited for by close. */
  const run = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
    health.mayAsk()
    const mine = work()
    underWay.add(mine)
    try {
      return await mine
    } finally {
      underWay.delete(mine)
    }
  }

  const store: TaskStore = {
    instance,

    create: (task, fingerprint, admit) =>
      run(async () => {
        const record = { ...task, id: parseTaskId(task.id) }
        refuseInvalidRecord(null, record)
        if (admit && !(await isBound(keyHash(record)))) await admit()
        health.forNewTask()
        const json = encode(record)
        const print = JSON.stringify(fingerprint)
        type Made = ['made'] | ['exists'] | ['known', string, string]
        const plan = JSON.stringify(planOf(null, record))
        const made = await scripts.run<Made>('create', record.id, json, plan, keyHash(record), print)
        if (made[0] === 'exists') throw new MadhavaError('TASK_EXISTS')
        if (made[0] === 'made') return { task: decode(json), created: true }
        if (made[2] !== print) throw new MadhavaError('IDEMPOTENCY_MISMATCH')
        return { task: decode(made[1]), created: false }
      }),

    get: id =>
      run(async () => {
        const json = await readJson(parseTaskId(id))
        return json === null ? null : heldClaims.asSeenHere(decode(json))
      }),

    list: (filter, page) =>
      run(async () => {
        const { tasks, next } = await lists.list(filter, page)
        return { tasks: tasks.map(heldClaims.asSeenHere), next }
      }),
    counts: owners => run(() => lists.counts(owners)),
    countWaiting: by => run(() => lists.countWaiting(by)),
    rates: {
      take: (...args) =>
        run(async () => {
          const taken = await rates.take(...args)
          return { ...taken, giveBack: () => run(taken.giveBack) }
        }),
    },

    claim: (id, move) => run(async () => mover.claim(parseTaskId(id), move)),
    claimNext: (wanted, move) => run(async () => (health.mayBegin() ? picker.claimNext(wanted, move) : null)),
    move: (id, claim, move) => run(async () => heldClaims.move(parseTaskId(id), claim, move)),
    revoke: (id, at) => run(async () => mover.revoke(parseTaskId(id), at)),
    remove: id => run(async () => retention.remove(parseTaskId(id))),

    putBlob: (id, name, bytes) =>
      run(async () => {
        const safe = parseTaskId(id)
        await heldClaims.show(safe)
        return blobs.putBlob(safe, name, bytes)
      }),
    getBlob: (id, name, range) => run(async () => blobs.getBlob(parseTaskId(id), name, range)),
    removeBlob: (id, name) =>
      run(async () => {
        const safe = parseTaskId(id)
        await heldClaims.show(safe)
        return blobs.removeBlob(safe, name)
      }),
    listBlobs: id => run(async () => blobs.listBlobs(parseTaskId(id))),

    uploads: {
      write: (...args) => run(() => uploads.write(...args)),
      read: (...args) => run(() => uploads.read(...args)),
      size: id => run(() => uploads.size(id)),
      remove: id => run(() => uploads.remove(id)),
      list: page => run(() => uploads.list(page)),
    },
    documents: {
      get: (...args) => run(() => documents.get(...args)),
      list: (...args) => run(() => documents.list(...args)),
      put: (...args) => run(() => documents.put(...args)),
      remove: (...args) => run(() => documents.remove(...args)),
      removeExpired: now => run(() => documents.removeExpired(now)),
    },

    audit: {
      begin: entry => run(() => audit.begin(entry)),
      end: (...args) => run(() => audit.end(...args)),
      add: (...args) => run(() => audit.add(...args)),
      page: (...args) => run(() => audit.page(...args)),
      settle: () => run(() => audit.settle()),
      removeBefore: at => run(() => audit.removeBefore(at)),
    },

    cursor: () => run(() => feed.cursor()),
    changes: (since, signal) => feed.changes(since, signal),
    changedSince: since => run(() => feed.changedSince(since)),

    announce: ({ role, details }) =>
      run(() => leases.announce({ role, details: withStoreTrouble(details, health.trouble) })),
    presences: () => run(() => leases.presences()),
    async leave() {
      await heldClaims.leave()
      await leases
        .leave()
        .catch((error: unknown) => log.warn({ error }, 'Redis could not be told that this process leaves'))
    },

    agenda: (now, limit, kinds) =>
      run(async () => {
        // this process is alive: after a while without Redis its own tasks would be among those of the dead
        await leases.showAlive()
        await leases.buryTheDead()
        type AgendaReply = [
          due: number,
          dueIds: string[],
          expired: string[],
          orphaned: string[],
          nextAt: string,
        ]
        const [due, dueIds, expired, orphaned, nextAt] = await scripts.run<AgendaReply>(
          'agenda',
          Date.parse(now),
          limit,
          kinds ? JSON.stringify([...new Set(kinds)]) : '',
        )
        return {
          due,
          dueIds,
          expired,
          orphaned,
          nextAt: nextAt === '' ? null : new Date(Number(nextAt)).toISOString(),
        }
      }),

    line: (tasks, query) => run(() => line(tasks, query)),

    retain: rule => run(() => retention.retain(rule)),

    counters: () => ({}),

    check: () =>
      run(async () => {
        await leases.beat()
        await health.look()
        health.forNewTask()
      }),

    close() {
      closing ??= (async () => {
        feed.close()
        await Promise.allSettled(underWay)
        try {
          await store.leave()
        } finally {
          // also where Redis is away: what stays open would keep its process alive
          leases.stop()
          health.close()
          redis.close()
        }
      })()
      return closing
    },
  }

  await leases.begin().catch(async (error: unknown) => {
    await store.close()
    throw redisError(error, redis.lastError())
  })
  return store
}
