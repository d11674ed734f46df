// Calls scripts by their hash; a server that does not know one (restarted, failed over, flushed) gets it again.
import { createHash } from 'node:crypto'
import type { RedisConnection } from '../../platform/redis.ts'
import { redisError } from './errors.ts'
import { ADD_AUDIT, BEGIN_AUDIT, SETTLE_AUDIT } from './lua/audit.ts'
import { CHUNK, DROP, FETCH, NEXT_CHUNK, PUT } from './lua/blobs.ts'
import {
  EXPIRE_DOCUMENTS,
  INDEX_DOCUMENT,
  PAGE_DOCUMENTS,
  PUT_DOCUMENT,
  REMOVE_DOCUMENT,
} from './lua/documents.ts'
import { LINE } from './lua/line.ts'
import { BEAT, BEGIN, LEAVE, LIVING, PRESENCES } from './lua/presence.ts'
import { AGENDA, COUNTS, PAGE, PICK, TALLIES } from './lua/queries.ts'
import { RATE } from './lua/rate.ts'
import { CREATE, INDEX, LOOK, OLDEST, REMOVE, WRITE } from './lua/tasks.ts'
import { APPEND_UPLOAD, CUT_UPLOAD, PAGE_UPLOADS, REMOVE_UPLOAD } from './lua/uploads.ts'

const SOURCES = {
  create: CREATE,
  look: LOOK,
  write: WRITE,
  remove: REMOVE,
  oldest: OLDEST,
  pick: PICK,
  agenda: AGENDA,
  line: LINE,
  page: PAGE,
  counts: COUNTS,
  tallies: TALLIES,
  rate: RATE,
  chunk: CHUNK,
  put: PUT,
  fetch: FETCH,
  nextChunk: NEXT_CHUNK,
  drop: DROP,
  cutUpload: CUT_UPLOAD,
  appendUpload: APPEND_UPLOAD,
  removeUpload: REMOVE_UPLOAD,
  pageUploads: PAGE_UPLOADS,
  putDocument: PUT_DOCUMENT,
  removeDocument: REMOVE_DOCUMENT,
  expireDocuments: EXPIRE_DOCUMENTS,
  pageDocuments: PAGE_DOCUMENTS,
  indexDocument: INDEX_DOCUMENT,
  beginAudit: BEGIN_AUDIT,
  addAudit: ADD_AUDIT,
  settleAudit: SETTLE_AUDIT,
  begin: BEGIN,
  index: INDEX,
  living: LIVING,
  beat: BEAT,
  presences: PRESENCES,
  leave: LEAVE,
} as const
export type ScriptName = keyof typeof SOURCES

const HASHES = Object.fromEntries(
  Object.entries(SOURCES).map(([name, source]) => [name, createHash('sha1').update(source).digest('hex')]),
) as Record<ScriptName, string>

type Argument = string | number | Buffer

export interface Scripts {
  /** @throws STORE_UNAVAILABLE, STORE_FULL, INTERNAL */
  run<Answer>(name: ScriptName, ...args: readonly Argument[]): Promise<Answer>
  /** As `run`, with bytes for texts. */
  runBuffer<Answer>(name: ScriptName, ...args: readonly Argument[]): Promise<Answer>
  /** Sends all scripts to the server, in one go. */
  load(): Promise<void>
}

/** `prefix` begins every key. */
export const createScripts = (redis: RedisConnection, prefix: string): Scripts => {
  const send = async <Answer>(
    call: RedisConnection['call'],
    name: ScriptName,
    args: readonly Argument[],
  ): Promise<Answer> => {
    const evalsha = () => call('EVALSHA', HASHES[name], 1, prefix, ...args)
    try {
      return (await evalsha().catch(async (error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        await redis.call('SCRIPT', 'LOAD', SOURCES[name])
        return evalsha()
      })) as Answer
    } catch (error) {
      throw redisError(error, redis.lastError())
    }
  }
  return {
    run: (name, ...args) => send(redis.call, name, args),
    runBuffer: (name, ...args) => send(redis.callBuffer, name, args),
    async load() {
      await Promise.all(Object.values(SOURCES).map(source => redis.call('SCRIPT', 'LOAD', source)))
    },
  }
}
