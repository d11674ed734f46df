// The state of the Redis server: whether it takes changes, whether it has memory, whether it would evict tasks. It
// polls now and then, and repairs nothing.
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { redisError } from './errors.ts'
import { policyTrouble, readInfo } from './startup.ts'

/** This share of maxmemory is kept for running tasks; new ones are refused, as on a full disk. */
const RESERVE_SHARE = 0.05
const LOOK_EVERY_MS = 5_000

export interface Health {
  beaten(): void
  missed(error: unknown): void
  /** @throws STORE_UNAVAILABLE when the last beat was refused: what is read may be an old copy's */
  mayAsk(): void
  /** @throws STORE_FULL, STORE_UNAVAILABLE */
  forNewTask(): void
  mayBegin(): boolean
  /** For people; null when all is well. */
  trouble(): string | null
  /** Asks now. Rejects with what Redis or the connection said. */
  look(): Promise<void>
  close(): void
}

const isReadOnly = (error: unknown): boolean =>
  error instanceof Error && (/^READONLY/.test(error.message) || isReadOnly(error.cause))

export const createHealth = ({ redis, log }: { redis: RedisConnection; log: Log }): Health => {
  let refusal: MadhavaError | null = null
  let full: string | null = null
  let policy: string | null = null
  let failing = false

  const look = async (): Promise<void> => {
    const memory = await readInfo(redis, 'memory')
    const max = Number(memory.maxmemory ?? 0)
    const used = Number(memory.used_memory ?? 0)
    full =
      max > 0 && used > max * (1 - RESERVE_SHARE)
        ? `Redis has hardly any memory left (${Math.round(used / 2 ** 20)} of ${Math.round(max / 2 ** 20)} MB of maxmemory): no new tasks are taken`
        : null
    const before = policy
    policy = policyTrouble(memory)
    if (policy !== null && before === null) log.error({ policy }, 'Redis may lose tasks')
  }
  const timer = setInterval(() => {
    look().catch(() => {
      // the beat says what is wrong
    })
  }, LOOK_EVERY_MS)
  timer.unref()

  return {
    beaten() {
      if (failing) log.info('Redis can be used again')
      failing = false
      refusal = null
    },
    missed(error) {
      const trouble = redisError(error, redis.lastError())
      if (!failing) log.warn({ error, reason: trouble.message }, 'Redis cannot be used; trying again')
      failing = true
      refusal = isReadOnly(error) ? trouble : null
    },
    mayAsk() {
      if (refusal) throw refusal
    },
    forNewTask() {
      if (full !== null) throw new MadhavaError('STORE_FULL', full)
      if (policy !== null) throw new MadhavaError('STORE_UNAVAILABLE', policy)
    },
    mayBegin: () => full === null,
    trouble: () => policy ?? full,
    look,
    close: () => clearInterval(timer),
  }
}
