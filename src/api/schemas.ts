// The shapes of what the REST API takes and answers, by name: the components of the document. What is checked on
// its way in is checked with these very schemas; what goes out is compared with them by the tests.
import { z } from 'zod'
import { BULK_ACTIONS, type BulkOutcome } from '../core/bulk.ts'
import { ERRORS, type ErrorCode } from '../core/errors.ts'
import type { Artifact } from '../core/kind.ts'
import type { Readiness } from '../core/readiness.ts'
import type { HiddenDetail } from '../core/state-reader.ts'
import type { SeenPresence, TaskCounts } from '../core/store.ts'
import { SUBMIT_MANY_LIMIT, submissionSchema } from '../core/submission.ts'
import { jsonSchema, STATUSES, type Status, taskSchema } from '../core/task.ts'
import { LOG_LEVELS } from '../core/task-log.ts'
import type { UploadInfo } from '../core/uploads.ts'
import type { HostSnapshot } from '../platform/host.ts'
import { input, output } from './named-schemas.ts'
import { waiting } from './waiting-schema.ts'

export { jsonSchema }

const codes = z.enum(Object.keys(ERRORS) as ErrorCode[])
const time = z.iso.datetime({ precision: 3 })
const bytes = z.number().min(0)

export const submission = input('Submission', submissionSchema)
/** Checked one by one by the service, so that each problem has its place. */
export const submissions = input(
  'Submissions',
  z.union([submission, z.array(submission).min(1).max(SUBMIT_MANY_LIMIT)]),
)

const artifact = output(
  'Artifact',
  z.object({
    name: z.string().describe('its bytes are at /task/{id}/artifacts/{name}'),
    bytes,
    type: z.string(),
    sha256: z.string().describe('in hex'),
  } satisfies Record<keyof Artifact, z.ZodType>),
)

/** As in the store, where fields of a later version are kept too; the document shows those of this one. */
const record = z
  .object(taskSchema.shape)
  .omit({ submittedBy: true })
  .extend({
    artifacts: z
      .array(artifact)
      .exactOptional()
      .describe('files that the task has made; missing when there are none'),
  })
  .describe('One task: docs/state-files.md says what each field means')
export const task = output('Task', record)

export const taskView = output(
  'TaskView',
  z
    .object({
      ...record.omit({ attempts: true, artifacts: true }).shape,
      paramsTruncated: z.boolean().describe('the whole params are in /task/{id}'),
      resultTruncated: z.boolean().describe('the whole result is at /task/{id}/result, or in /task/{id}'),
      ownerName: z
        .string()
        .nullable()
        .exactOptional()
        .describe('in lists, where there is an owner: the name of its account; null when that was deleted'),
      waiting: waiting
        .nullable()
        .exactOptional()
        .describe('with `why=1` alone: why it waits; null when it does not'),
    })
    .describe(
      'A task as lists show it: params and a result over 256 characters of JSON are cut to a text; without `attempts` and `artifacts`',
    ),
)

export const upload = output(
  'Upload',
  z
    .object({
      id: z.uuid(),
      name: z.string().nullable().describe('what the client calls it'),
      bytes: bytes.describe('so far, while it is open'),
      type: z.string().nullable().describe('found in the bytes; null while it is open'),
      sha256: z.string().nullable().describe('in hex; null while it is open'),
      state: z.enum(['open', 'whole']).describe('open: its bytes have not all come'),
      length: bytes.nullable().describe('how many bytes were announced; null: it was not said'),
      owner: z.string().nullable(),
      createdAt: time,
      expiresAt: time.nullable().describe('when it goes unless a task names it; null: tasks have named it'),
    } satisfies Record<keyof UploadInfo, z.ZodType>)
    .describe('A file that tasks may read'),
)

export const uploadPage = output(
  'UploadPage',
  z.object({
    uploads: z.array(upload),
    next: z.string().nullable().describe('cursor of the next page; null at the end'),
  }),
)

const logLine = output(
  'LogLine',
  z.object({
    n: z.int().min(1).describe('its place among all lines that the task ever wrote'),
    at: time.nullable().describe('null in a log of an older version, as is `attempt`'),
    attempt: z.int().min(1).nullable().describe("as in the record's `attempts`"),
    level: z.enum(LOG_LEVELS),
    text: z.string(),
  }),
)
const logGap = output(
  'LogGap',
  z
    .object({
      omitted: z.int().min(1),
      from: z.int().min(1).describe('the number of the first of them'),
      to: z.int().min(1).describe('the number of the last of them'),
    })
    .describe('A mark: so many lines stood here and are left out'),
)
export const logEntries = output(
  'LogEntries',
  z.object({
    entries: z.array(z.union([logLine, logGap])),
    last: z.int().min(0).describe('the number of the last line; `since` goes on behind it'),
    ended: z.boolean().describe('whether the task has ended, so that no more will come'),
  }),
)

export const taskViews = output('TaskViews', z.array(taskView))

export const submitted = output('Submitted', z.union([task, z.array(task)]))

export const taskPage = output(
  'TaskPage',
  z.object({
    tasks: z.array(taskView).describe('newest first, or as `sort` says'),
    next: z.string().nullable().describe('cursor of the next page; null at the end'),
  }),
)

export const deadPage = output(
  'DeadPage',
  z.object({
    tasks: z
      .array(
        z.object({
          task: taskView,
          reason: z.object({
            code: z.enum(Object.keys(ERRORS) as (keyof typeof ERRORS)[]),
            message: z.string(),
          }),
        }),
      )
      .describe(
        'those that wait for a worker with their kind, then those that have ended; each newest first',
      ),
    messages: z
      .array(
        z.object({
          id: z.uuid(),
          reason: z.string(),
          deadAt: time,
          bytes: z.int(),
          contentType: z.string().nullable(),
          preview: z.string().describe('how it begins'),
        }),
      )
      .describe('on the first page alone: the oldest 100 messages in the queue that announce no task'),
    messageCount: z.int().nullable().describe('of all messages; null when the broker cannot be asked'),
    trouble: z.string().nullable().describe('why the broker cannot be asked'),
    next: z
      .string()
      .nullable()
      .describe('cursor of the next page; null at the end. A page without tasks may be followed by others'),
  }),
)

export const replayedMessage = output('ReplayedMessage', z.object({ message: z.uuid() }))
export const replayed = output('Replayed', z.union([task, replayedMessage]))

export const cancellation = output(
  'Cancellation',
  z.object({
    outcome: z
      .enum(['revoked', 'requested'])
      .describe('revoked: it is REVOKED now; requested: the worker that runs it was told'),
    task,
  }),
)

export const bulkOutcome = output(
  'BulkOutcome',
  z.object({
    action: z.enum(BULK_ACTIONS),
    dryRun: z.boolean(),
    matched: z.int().describe('tasks that fit the filter, and that the action can be meant for'),
    done: z.int().describe('those that it was done to; none in a dry run'),
    refused: z
      .record(z.string(), z.int())
      .describe('those that moved meanwhile or could not be changed, by code'),
    next: z.string().nullable().describe('cursor to go on with; null when all is done'),
  }) satisfies z.ZodType<Omit<BulkOutcome, 'refused'>>,
)

export const problem = output(
  'Problem',
  z
    .object({
      type: z.string().describe('urn:madhava:error:<code>'),
      title: z.string(),
      status: z.int(),
      detail: z.string().describe('what is wrong with this request'),
      code: codes.describe('permanent; docs/errors.md'),
      instance: z.string().optional(),
      problems: z
        .array(z.object({ path: z.string(), problem: z.string() }))
        .optional()
        .describe('one entry per field that is wrong'),
      offset: bytes.optional().describe('of UPLOAD_OFFSET: where the upload ends'),
    })
    .describe('RFC 9457'),
)

export const kindTrouble = z.object({
  name: z.string(),
  file: z.string(),
  reason: z.string(),
})

const checkSchema = z.object({
  status: z.enum(['ok', 'degraded', 'failed']),
  reason: z.string().exactOptional(),
})
export const readinessAnswer = output(
  'Readiness',
  z.object({
    ok: z.boolean(),
    checks: z.record(z.string(), checkSchema),
  }) satisfies z.ZodType<Readiness>,
)
export const liveness = output('Liveness', z.object({ ok: z.literal(true) }))

const host = z.object({
  sampledAt: z.string(),
  name: z.string(),
  uptimeSeconds: z.number(),
  os: z.object({ platform: z.string(), name: z.string().nullable(), kernel: z.string(), arch: z.string() }),
  cpu: z.object({
    model: z.string().nullable(),
    cores: z.int(),
    physicalCores: z.int().nullable(),
    loadPercent: z.number().nullable().describe('0 to 100, all cores together'),
    loadPercentPerCore: z.array(z.number()),
  }),
  loadAverages: z.tuple([z.number(), z.number(), z.number()]).describe('over 1, 5 and 15 minutes'),
  memory: z.object({
    totalBytes: bytes,
    availableBytes: bytes,
    usedBytes: bytes,
    usedPercent: z.number(),
  }),
  disks: z.array(
    z.object({
      path: z.string(),
      totalBytes: bytes,
      freeBytes: bytes,
      usedPercent: z.number(),
      data: z.boolean().describe('the data folder lies here'),
    }),
  ),
  addresses: z.array(
    z.object({
      interface: z.string(),
      address: z.string(),
      family: z.enum(['IPv4', 'IPv6']),
      internal: z.boolean(),
    }),
  ),
  container: z
    .object({
      cgroup: z.union([z.literal(1), z.literal(2)]),
      cpuCores: z.number().nullable(),
      cpusetCores: z.number().nullable(),
      memoryLimitBytes: bytes.nullable(),
      memoryUsedBytes: bytes.nullable(),
    })
    .nullable()
    .describe('null where nothing limits this process below the machine'),
}) satisfies z.ZodType<HostSnapshot>

const processSchema = z.object({
  role: z.string(),
  instance: z.string(),
  host: z.string(),
  pid: z.int(),
  alive: z.boolean(),
  startedAt: time,
  beatAt: time,
  address: z.string().nullable(),
  slots: z.int().describe('tasks it may run at a time'),
  running: z.array(z.string()).describe('ids of the tasks it runs'),
  counters: z.record(z.string(), z.number()).describe('totals since its start'),
  rssBytes: bytes,
  cpu: z.number().describe('share of one core since the last beat'),
  kinds: z.array(z.string()).exactOptional().describe('what it can run'),
  runningByKind: z.record(z.string(), z.int()).exactOptional().describe('how many of each kind it runs'),
  takesNone: z.string().exactOptional().describe('why it begins no task now though slots are free'),
  kindsCode: z.string().exactOptional().describe('equal for two processes that use the same files of kinds'),
  kindsInTrouble: z.array(kindTrouble).exactOptional().describe('kinds whose files it could not use'),
  kindsUsedAt: time.exactOptional().describe('since when it uses the kinds that it has'),
  troubles: z.record(z.string(), z.string()),
}) satisfies z.ZodType<Omit<SeenPresence, 'details'> & Omit<SeenPresence['details'], HiddenDetail>>

const counts = z.object({
  total: z.int(),
  byStatus: z.object(
    Object.fromEntries(STATUSES.map(name => [name, z.int()])) as unknown as Record<Status, z.ZodInt>,
  ),
  byKind: z.record(z.string(), z.partialRecord(z.enum(STATUSES), z.int())),
})
counts satisfies z.ZodType<{ [K in Exclude<keyof TaskCounts, 'byKind'>]: TaskCounts[K] }>

export const hostStatus = output(
  'HostStatus',
  z.object({
    name: z.literal('madhava'),
    version: z.string(),
    time,
    host: host.nullable().describe('null for who does not see all tasks, as processes and queue are'),
    processes: z.array(processSchema).nullable(),
    queue: z
      .object({
        name: z.string(),
        depth: z.int().nullable(),
        status: z.enum(['ready', 'connecting', 'blocked', 'closed']),
        reason: z.string().nullable(),
        outbox: z.int(),
      })
      .nullable(),
    tasks: counts.nullable(),
    dead: z
      .object({
        waiting: z
          .record(z.string(), z.int())
          .describe('tasks that wait for a worker with their kind, by kind'),
        messages: z
          .int()
          .nullable()
          .describe('messages that announce no task; null when that is not known now'),
      })
      .nullable(),
    troubles: z.record(z.string(), z.string()).describe('why something above is null'),
  }),
)
