/**
 * Madhava's Thrift door, port 9000. One port takes four ways of speaking, and the first bytes of a connection decide:
 * buffered or framed transport, binary (with strict headers) or compact protocol. The same service is at POST /rpc of
 * the REST port: Thrift over HTTP, binary or compact, Content-Type application/x-thrift.
 *
 * RPCcelery is the original service, unchanged on the wire. Madhava extends it with everything that a task can do: a
 * client of either is served on the same port, and one of Madhava may call the original methods too.
 *
 * A message may have up to 1 MiB, a frame holds one message. Calls of one connection are answered one after another, in
 * their order; open more connections for more at a time. A connection that is silent for 60 seconds is closed.
 *
 * Texts are UTF-8, and what is called JSON is a text. Times are ISO-8601 in UTC with milliseconds, as in
 * 2026-01-31T12:00:00.000Z; a client may give another offset from UTC. Ids are UUIDs.
 *
 * Errors have a permanent code, the same as at the REST door. Madhava's methods declare them as Refused, NotFound,
 * Conflict and Unavailable. What is not declared, such as a message that is no proper call, comes as a
 * TApplicationException whose message begins with the code: "BAD_REQUEST: ...".
 */

/** What is known of one task. Times are ISO-8601 in UTC with milliseconds, as in 2026-01-31T12:00:00.000Z. */
struct calcResult {
  /** The task's id, a UUID. */
  1: required string id,
  /**
   * PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE or REVOKED. The last three are ends. PENDING means a task
   * that waits; a task that does not exist is a BadTask.
   */
  2: required string status,
  /** When the task was accepted. */
  3: required string pushqtime,
  /** When its last attempt began; unset while it waits for the first. */
  4: optional string starttime,
  /** When it ended; unset while it has not. */
  5: optional string stoptime,
  /**
   * Set when the task's result is a number, or a text that begins as one: 3.14159 for pi to 10,000 digits. Partial
   * while the status is PROGRESS. Unset when the number does not fit a double.
   */
  6: optional double result
}

/** Progress of a running task, as the original interface described it. No method of RPCcelery returns it. */
struct RESULT {
  /** 0 to 100. */
  1: required double percent,
  /** The value reached so far. */
  2: required double intermediate
}

/** The task that was asked for cannot be shown. */
exception BadTask {
  /** The id as it was given, its first 64 characters. */
  1: required string uuid,
  /** 404: there is no such task. 400: this is not a UUID. */
  2: required i16 error_code
}

/** The original service. It stays as it was on the wire, so that its clients work unchanged. */
service RPCcelery {
  /**
   * Starts the computation of pi to this many digits after the point. Answers the new task's id at once; the task
   * exists, durably, before it does. A number that the kind calcpi refuses, such as a negative one, is a
   * TApplicationException that begins with PARAMS_INVALID.
   */
  string startCalcPi(1: i8 decimal),

  /** The state of one task of any kind. */
  calcResult getTaskStatus(1: string uuid) throws (1: BadTask bt),

  /** Tasks of every kind, newest first: all of them, up to the newest 10,000. */
  list<calcResult> listTasks()
}

// ---------------------------------------------------------------------------------------------------------------
// From here on: service Madhava.

/** One thing that is wrong with what was asked. */
struct Problem {
  /** Where it is, as in params.digits; empty for the whole. */
  1: required string path,
  /** What is wrong, and what would be right. */
  2: required string problem
}

/** What was asked cannot be done, now or later: mend it. */
exception Refused {
  /** Permanent, such as PARAMS_INVALID or KIND_UNKNOWN. */
  1: required string code,
  /** For people. */
  2: required string message,
  /** The HTTP status that the REST door gives for this code. */
  3: required i16 status,
  /** Every problem that was found; empty when the message says it all. */
  4: required list<Problem> problems
}

/** There is no such task, or it has no result. */
exception NotFound {
  /** TASK_NOT_FOUND or RESULT_NOT_FOUND. */
  1: required string code,
  2: required string message,
  /** The HTTP status that the REST door gives for this code. */
  3: required i16 status
}

/** The task is not in a state for this: ended already, not ended yet, just held by a process. */
exception Conflict {
  /** TASK_ENDED, TASK_NOT_ENDED or TASK_BUSY. */
  1: required string code,
  2: required string message,
  /** The HTTP status that the REST door gives for this code. */
  3: required i16 status
}

/** Not now: the same call may succeed a little later. Nothing was done, except perhaps after a call that ran out of time. */
exception Unavailable {
  /** STORE_UNAVAILABLE, STORE_FULL, SHUTTING_DOWN and the like. */
  1: required string code,
  2: required string message,
  /** The HTTP status that the REST door gives for this code. */
  3: required i16 status
}

/** How far a running task is. */
struct Progress {
  /** 0 to 100. */
  1: required double percent,
  2: optional string note,
  /** Seconds that it will take yet, as far as one can tell. */
  3: optional double etaSeconds
}

/** Why a task failed. */
struct TaskError {
  /** Permanent, such as KIND_FAILED or TIME_LIMIT. */
  1: required string code,
  2: required string message,
  /** JSON. */
  3: optional string detail
}

/** One move of a task from a status to the next. */
struct HistoryEntry {
  1: required string status,
  2: required string at,
  3: required i32 attempt,
  4: optional string worker
}

/** How an error that a kind throws is tried again: exponential backoff with jitter. What is unset has its default. */
struct RetryPolicy {
  /** Seconds before the second attempt; 1 by default. */
  1: optional double delaySeconds,
  /** Each further wait is this many times longer; 2 by default. */
  2: optional double factor,
  /** No wait is longer, seconds; 3600 by default. */
  3: optional double maxDelaySeconds,
  /** Only errors with one of these names or codes are tried again; without it all are. */
  4: optional list<string> retryOn
}

/** Time limits of one attempt, seconds. Unset: none. */
struct TimeLimits {
  /** The kind's signal fires, then it has a grace time. */
  1: optional double softSeconds,
  /** Its thread is ended. */
  2: optional double hardSeconds
}

/** One task, all of its record. */
struct Task {
  1: required string id,
  2: required string kind,
  /** PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE or REVOKED. The last three are ends. */
  3: required string status,
  /** JSON. */
  4: required string params,
  /** Goes up at every change of the record and never starts anew. */
  5: required i64 rev,
  /** The number of the last claim on the task. */
  6: required i64 claim,
  /** 0 before the first attempt. */
  7: required i32 attempt,
  8: required i32 maxAttempts,
  /** 9 runs first, 0 last. */
  9: required i8 priority,
  10: optional Progress progress,
  /**
   * JSON: partial in PROGRESS, final in SUCCESS. Unset when there is none yet, and when it is too large to stand here:
   * then resultBytes is set, and readResult gives it. In pages, a result of more than 256 characters of JSON is a text
   * with its beginning.
   */
  11: optional string result,
  /** The size of a result that is too large to stand here. */
  12: optional i64 resultBytes,
  /** Whether `result` is not the whole: readResult gives it. */
  13: required bool resultTruncated,
  /** JSON: how the result was come by, where the kind says so. */
  14: optional string resultInfo,
  15: optional TaskError error,
  16: required string createdAt,
  17: optional string notBefore,
  18: optional string expiresAt,
  /** When the last attempt began. */
  19: optional string startedAt,
  20: optional string finishedAt,
  21: required string updatedAt,
  /** The process that runs it, or ran it last. */
  22: optional string worker,
  23: optional string owner,
  /** The task that submitted this one. */
  24: optional string parentId,
  25: optional string title,
  26: optional string description,
  27: optional string idempotencyKey,
  /** Set when somebody asked a running task to end. */
  28: optional string revokeRequestedAt,
  29: optional RetryPolicy retryPolicy,
  30: required TimeLimits limits,
  /** The last moves, oldest first. */
  31: required list<HistoryEntry> history,
  /** One word for this state of the record, for waitTask: it differs after every change, and tells nothing else. */
  32: required string version,
  /** In pages: whether `params`, of more than 256 characters, are a text with their beginning; getTask has the whole. */
  33: optional bool paramsTruncated,
  /** Attempts that ended with the death of their worker, where there are some; with two the task runs alone. */
  34: optional i32 workersLost
}

/** What may be said when a task is submitted. What is unset has the default of the server or of the kind. */
struct SubmitOptions {
  /** 0 to 9, 9 runs first; 5 by default. */
  1: optional i8 priority,
  /** Do not start before. */
  2: optional string notBefore,
  /** Fail with EXPIRED when not started before. */
  3: optional string expiresAt,
  /** Tries in all, lost workers included: 1 to 1000. */
  4: optional i32 maxAttempts,
  /** Try again when the kind throws an error. */
  5: optional RetryPolicy retryPolicy,
  /** True: an error is final, also where the kind would try again. Not together with retryPolicy. */
  6: optional bool neverRetry,
  7: optional TimeLimits limits,
  8: optional string title,
  9: optional string description,
  /** 1 to 255 visible ASCII characters: the same key with the same task answers the first one instead of a second. */
  10: optional string idempotencyKey
}

/** Which tasks a page holds: all that is set must fit. */
struct TaskFilter {
  1: optional list<string> statuses,
  2: optional list<string> kinds,
  3: optional string owner,
  4: optional string parentId,
  /** Found in id, kind, title or description, ignoring case. */
  5: optional string text,
  /** Created at or after. */
  6: optional string createdFrom,
  /** Created before. */
  7: optional string createdTo,
  /** Whose error has one of these codes. */
  8: optional list<string> errorCodes,
  /** Found in the message of the error, ignoring case. */
  9: optional string errorText,
  /** Ended at or after; only ended tasks fit. */
  10: optional string finishedFrom,
  /** Ended before; only ended tasks fit. */
  11: optional string finishedTo
}

/** Some tasks, newest first. */
struct TaskPage {
  1: required list<Task> tasks,
  /** Continues after this page; unset at the end. */
  2: optional string nextCursor
}

/** What became of a wish to cancel. */
struct Cancelled {
  /** revoked: it has ended now. requested: it runs, the wish is durable, and it will end soon. */
  1: required string outcome,
  2: required Task task
}

/** Some bytes of a result or a log. */
struct Piece {
  /** Empty at the end. */
  1: required binary bytes,
  /** Of the whole. */
  2: required i64 totalBytes,
  /** text/plain; charset=utf-8 for a result that is a text, and for a log; application/json for any other result. */
  3: required string contentType,
  /** Of the task's record: when it differs between two pieces, the task has run again, and they do not belong together. */
  4: required i64 rev
}

/** A kind of task. */
struct Kind {
  1: required string name,
  2: required string summary,
  /** JSON Schema of the params. */
  3: required string paramsSchema,
  /** JSON Schema of the result. */
  4: required string resultSchema,
  /** JSON: params that run in a moment. */
  5: required string example,
  6: required i32 maxAttempts,
  7: optional RetryPolicy retryPolicy,
  8: required TimeLimits limits,
  /** At most so many run at a time, over all workers. */
  9: optional i32 maxConcurrency,
  /** At most so many begin, as in 10/s. */
  10: optional string rate
}

/** A kind whose file cannot be used. */
struct KindTrouble {
  1: required string name,
  /** The file's name, without its folder. */
  2: required string file,
  /** Why, for people. */
  3: required string reason,
  /** Whose processes could not use it, as far as known. */
  4: required list<string> roles
}

struct Cpu {
  1: optional string model,
  2: required i32 cores,
  3: optional i32 physicalCores,
  /** 0 to 100, all cores together; unset in the first seconds. */
  4: optional double loadPercent,
  5: required list<double> loadPercentPerCore
}

struct Memory {
  1: required i64 totalBytes,
  2: required i64 availableBytes,
  3: required i64 usedBytes,
  4: required double usedPercent
}

struct Disk {
  1: required string path,
  2: required i64 totalBytes,
  3: required i64 freeBytes,
  4: required double usedPercent,
  /** Whether the data folder lies here. */
  5: required bool data
}

struct NetworkAddress {
  1: required string networkInterface,
  2: required string address,
  /** IPv4 or IPv6. */
  3: required string family,
  4: required bool isInternal
}

/** What limits the server below its machine. */
struct ContainerLimits {
  /** 1.5: one and a half cores. */
  1: optional double cpuCores,
  /** How many cores it may run on. */
  2: optional i32 cpusetCores,
  3: optional i64 memoryLimitBytes,
  4: optional i64 memoryUsedBytes
}

/** A process of the bundle. */
struct BundleProcess {
  /** api, worker, rpc, dashboard or supervisor. */
  1: required string role,
  2: required string instance,
  3: required string host,
  4: required i32 pid,
  5: required bool alive,
  6: required string startedAt,
  /** When it last said that it is well. */
  7: required string beatAt,
  /** Host and port of its door. */
  8: optional string address,
  /** How many tasks it may run at a time. */
  9: required i32 slots,
  /** Ids of the tasks that it runs. */
  10: required list<string> running,
  /** Running totals since its start, by name. */
  11: required map<string, i64> counters,
  12: required i64 rssBytes,
  /** Share of one core since the last beat; 1: a whole one. */
  13: required double cpu,
  /** What is wrong, by name; empty when all is well. */
  14: required map<string, string> troubles
}

/** The machine, the processes and the tasks. */
struct HostStatus {
  1: required string name,
  2: required string version,
  3: required string time,
  /** When CPU and memory were sampled. */
  4: required string sampledAt,
  5: required string hostName,
  6: required double uptimeSeconds,
  7: required string platform,
  8: optional string osName,
  9: required string kernel,
  10: required string arch,
  11: required Cpu cpu,
  /** Over 1, 5 and 15 minutes. */
  12: required list<double> loadAverages,
  13: required Memory memory,
  14: required list<Disk> disks,
  15: required list<NetworkAddress> addresses,
  /** Unset where nothing limits the server below its machine. */
  16: optional ContainerLimits container,
  /** Unset when the store does not answer in time; troubles says why. */
  17: optional list<BundleProcess> processes,
  /** Numbers of tasks by status. */
  18: optional map<string, i64> tasks,
  /** What is wrong, by name; empty when all is well. */
  19: required map<string, string> troubles
}

/** The queue as this process sees it. */
struct QueueStatus {
  /** rabbitmq or embedded. */
  1: required string name,
  /** ready, connecting, blocked or closed. Submits are taken in any case. */
  2: required string status,
  /** What is wrong, and what would mend it. */
  3: optional string reason,
  /** Announcements in the queue; unset when that is not known. */
  4: optional i64 depth,
  /** Announcements of this process that wait for the broker. */
  5: required i64 outbox
}

/** Everything that a task can do, for any language. A client of RPCcelery needs none of it. */
service Madhava extends RPCcelery {
  /** Answers. */
  void ping(),

  /** The version of the server, as in 0.1.0. */
  string version(),

  /**
   * Submits a task. It exists, durably, when this answers. `params` is JSON; empty means {}.
   * Refused: KIND_UNKNOWN, PARAMS_INVALID, BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH. Unavailable: KIND_IN_TROUBLE.
   */
  Task submitTask(1: string kind, 2: string params, 3: SubmitOptions options)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** One task. Refused: BAD_ID. */
  Task getTask(1: string id) throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * One task, as soon as its version is not this one, or as it is after so many milliseconds (at most 30000): an empty
   * version is answered at once. Ask again with the version that came. Refused: BAD_ID, BAD_REQUEST.
   */
  Task waitTask(1: string id, 2: string version, 3: i32 timeoutMs)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * A page of tasks, newest first, with results cut to a preview. `limit` is 1 to 200, 50 when 0; `cursor` is the
   * nextCursor of the page before, empty for the first. Refused: BAD_REQUEST, BAD_CURSOR.
   */
  TaskPage pageTasks(1: TaskFilter filter, 2: i32 limit, 3: string cursor)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** Ends a task. Conflict: TASK_ENDED. Refused: BAD_ID. */
  Cancelled cancelTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Lets an ended task run again. Conflict: TASK_NOT_ENDED, TASK_BUSY. Refused: BAD_ID. */
  Task retryTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Removes an ended task, all of it. Conflict: TASK_NOT_ENDED. Refused: BAD_ID. */
  void purgeTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * A piece of the whole result of a task in SUCCESS: from the byte `offset` at most `length` bytes, at most 524288 of
   * them, and so many when 0. Empty at the end. Conflict: TASK_NOT_ENDED. NotFound: RESULT_NOT_FOUND.
   * Refused: BAD_ID, RANGE_NOT_SATISFIABLE.
   */
  Piece readResult(1: string id, 2: i64 offset, 3: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** A piece of the task's own last log lines; else as readResult. It may have changed between two pieces. */
  Piece readLog(1: string id, 2: i64 offset, 3: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /** The kinds of task that this server knows. */
  list<Kind> listKinds() throws (1: Unavailable unavailable),

  /** The kinds whose files cannot be used: a submit to one is Unavailable with KIND_IN_TROUBLE, the others run. */
  list<KindTrouble> listKindTroubles() throws (1: Unavailable unavailable),

  /** The machine, the processes and the tasks. */
  HostStatus hostStatus() throws (1: Unavailable unavailable),

  /** The queue as the process that answers sees it. */
  QueueStatus queueStatus() throws (1: Unavailable unavailable)
}
