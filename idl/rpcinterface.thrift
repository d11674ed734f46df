/**
 * Madhava over Thrift, on port 9000. The port accepts buffered or framed transport, and the binary (with strict
 * headers) or the compact protocol: the first bytes of a connection decide which. POST /rpc of the REST port serves
 * the same over HTTP, binary or compact, with Content-Type application/x-thrift.
 *
 * RPCcelery is the original service, unchanged on the wire. Madhava extends it with everything that a task can do.
 * The port serves clients of both, and a client of Madhava may call the original methods too.
 *
 * A message has at most 1 MiB, and a frame holds one message. A connection answers its calls one after another, in
 * their order: open more connections for more calls at a time. A connection that is silent for 60 seconds is closed.
 *
 * Texts are UTF-8, and a field described as JSON is a text. Times are ISO-8601 in UTC with milliseconds, as in
 * 2026-01-31T12:00:00.000Z; a client may give another offset from UTC. Ids are UUIDs.
 *
 * A client says who it is by `authenticate`, once on each connection; over HTTP it sends `Authorization: Bearer` with
 * each call instead. What may be done without that is a setting of the server (ANONYMOUS). `ping`, `version`,
 * `authenticate`, `me`, `createAccount` and `logIn` may always be called. Any other call may be Refused with
 * UNAUTHORIZED (nobody has logged in, or what was shown has ended) or SCOPE_MISSING (the login may not do this; the
 * message names the scope). Somebody else's task is answered like one that does not exist. Passwords and keys are not
 * encrypted on the way: use a network that you trust, or HTTPS.
 *
 * Errors have a permanent code, the same as in REST. Madhava's methods declare them as Refused, NotFound, Conflict
 * and Unavailable. An undeclared error, such as a malformed message, is a TApplicationException whose message begins
 * with the code: "BAD_REQUEST: ...".
 */

/** One task. Times are ISO-8601 in UTC with milliseconds, as in 2026-01-31T12:00:00.000Z. */
struct calcResult {
  /** The task's id, a UUID. */
  1: required string id,
  /**
   * PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE or REVOKED. The last three are ends. PENDING means that
   * the task waits; a task that does not exist is a BadTask.
   */
  2: required string status,
  /** When the task was accepted. */
  3: required string pushqtime,
  /** When its last attempt began; unset while it waits for the first. */
  4: optional string starttime,
  /** When it ended; unset while it has not. */
  5: optional string stoptime,
  /**
   * Set if the task's result is a number, or a text that begins with one: 3.14159 for pi to 10,000 digits. Partial
   * while the status is PROGRESS. Unset if the number does not fit a double.
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

/** The task cannot be shown. */
exception BadTask {
  /** The id as it was given, its first 64 characters. */
  1: required string uuid,
  /**
   * 404: there is no such task. 400: this is not a UUID. 401 and 403: this server wants a login, which the original
   * service does not have.
   */
  2: required i16 error_code
}

/** The original service. It stays as it was on the wire, so that its clients work unchanged. */
service RPCcelery {
  /**
   * Starts the computation of pi to this many digits after the point. Returns the new task's id at once; by then the
   * task is durable. If the kind calcpi refuses the number, such as a negative one, the answer is a
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

/** One mistake in a call. */
struct Problem {
  /** Where it is, as in params.digits; empty for the whole. */
  1: required string path,
  /** What is wrong, and what would be right. */
  2: required string problem
}

/** The call is wrong, or this client may not make it: correct it, or log in. */
exception Refused {
  /** Permanent, such as PARAMS_INVALID, KIND_UNKNOWN, UNAUTHORIZED or SCOPE_MISSING. */
  1: required string code,
  /** For people. */
  2: required string message,
  /** The HTTP status of this code in REST. */
  3: required i16 status,
  /** Every problem that was found; empty when the message says it all. */
  4: required list<Problem> problems,
  /** With TOO_MANY_REQUESTS and the like: how long to wait before the next try. */
  5: optional i32 retryAfterSeconds
}

/**
 * There is no such task, upload or file, or the task has no result. Of accounts: there is no such account, session, key
 * or invitation.
 */
exception NotFound {
  /** TASK_NOT_FOUND, RESULT_NOT_FOUND, UPLOAD_NOT_FOUND, ACCOUNT_NOT_FOUND and the like. */
  1: required string code,
  2: required string message,
  /** The HTTP status of this code in REST. */
  3: required i16 status
}

/**
 * The state of the task does not allow it: it has ended, has not ended, does not wait, is just being changed, or was
 * changed since it was read. Of uploads: the bytes do not continue where it ends, have not all come, or a task names
 * it. Of accounts: the name is taken, or the account was changed by somebody else at the same time.
 */
exception Conflict {
  /** TASK_ENDED, TASK_NOT_ENDED, TASK_BUSY, VERSION_CHANGED, UPLOAD_OFFSET, NAME_TAKEN and the like. */
  1: required string code,
  2: required string message,
  /** The HTTP status of this code in REST. */
  3: required i16 status
}

/** Not now: the same call may succeed a little later. Nothing was done, unless the call ran out of time. */
exception Unavailable {
  /** STORE_UNAVAILABLE, STORE_FULL, SHUTTING_DOWN and the like. */
  1: required string code,
  2: required string message,
  /** The HTTP status of this code in REST. */
  3: required i16 status
}

/** How far a running task is. */
struct Progress {
  /** 0 to 100. */
  1: required double percent,
  2: optional string note,
  /** An estimate of the seconds left. */
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

/** One attempt at a task. */
struct TaskAttempt {
  /** 1 for the task's first attempt; goes on through a retry by hand. */
  1: required i32 attempt,
  2: required string worker,
  3: required string startedAt,
  /** Unset while it runs. */
  4: optional string endedAt,
  /**
   * Unset while it runs. SUCCESS; RETRY: it failed, and another follows; FAILURE; REVOKED: it was cancelled; LOST: its
   * worker died; GIVEN_BACK: its worker shut down, and it does not count.
   */
  5: optional string outcome,
  /** Why it failed. Older attempts have no detail. */
  6: optional TaskError error,
  /** The code of the kind that ran: see Kind. Unset where it is not known. */
  7: optional string code
}

/** A file that a task has made. */
struct Artifact {
  1: required string name,
  2: required i64 bytes,
  /** A media type. */
  3: required string type,
  /** In hex. */
  4: required string sha256
}

/** How an error that a kind throws is retried: exponential backoff with jitter. Unset fields have their default. */
struct RetryPolicy {
  /** Seconds before the second attempt; 1 by default. */
  1: optional double delaySeconds,
  /** Each further wait is this many times longer; 2 by default. */
  2: optional double factor,
  /** No wait is longer, seconds; 3600 by default. */
  3: optional double maxDelaySeconds,
  /** Only errors with one of these names or codes are retried. Unset: all are. */
  4: optional list<string> retryOn
}

/** Time limits of one attempt, seconds. Unset: none. */
struct TimeLimits {
  /** The kind's signal fires; after a grace time its thread is ended. */
  1: optional double softSeconds,
  /** The kind's thread is ended at once. */
  2: optional double hardSeconds
}

/** An estimate of when a task starts, in seconds from now. */
struct StartEstimate {
  /** Half of such starts come sooner. */
  1: required double p50,
  /** Nine of ten come sooner. */
  2: required double p90
}

/** What the detail of a Waiting says, for programs. Each reason has those that it needs. */
struct WaitFacts {
  /** When its time comes. */
  1: optional string dueAt,
  /** How many of its kind run. */
  2: optional i32 running,
  /** How many of its kind may run. */
  3: optional i32 maxConcurrency,
  /** How often one of its kind may begin, as in 10/s. */
  4: optional string rate,
  /** Slots of the workers that take its kind. */
  5: optional i32 slots,
  /** How many of these are busy. */
  6: optional i32 busy,
  /** What a worker or a file says is wrong. */
  7: optional string trouble
}

/** Why a task waits, as of now. */
struct Waiting {
  /**
   * The first one that holds: FOR_PEOPLE, NOT_DUE, RETRY_WAIT, NO_WORKER, KIND_UNKNOWN, NO_ROOM, KIND_FULL, RATE or BEHIND. Later
   * versions may know more.
   */
  1: required string reason,
  /** When it became due; of FOR_PEOPLE, NOT_DUE and RETRY_WAIT its last move. */
  2: required string since,
  /** The reason for people. */
  3: required string detail,
  4: required WaitFacts facts,
  /** How many tasks come before it. Unset if it is not due, or if they are more than 10000. */
  5: optional i32 position,
  /** Unset if there is nothing to estimate from. */
  6: optional StartEstimate startsIn
}

/** One task with its whole record. */
struct Task {
  1: required string id,
  2: required string kind,
  /** PENDING, STARTED, PROGRESS, RETRY, SUCCESS, FAILURE or REVOKED. The last three are ends. */
  3: required string status,
  /** JSON. */
  4: required string params,
  /** Goes up at every change of the record and never goes back. */
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
   * JSON: partial in PROGRESS, final in SUCCESS. Unset if there is none yet, or if it is too large for this field:
   * then resultBytes is set, and readResult returns it. In pages, a result of more than 256 characters of JSON is
   * replaced by a text with its beginning.
   */
  11: optional string result,
  /** The size of a result that is too large for the field `result`. */
  12: optional i64 resultBytes,
  /** Whether `result` is not the whole; readResult returns the whole. */
  13: required bool resultTruncated,
  /** JSON: how the kind computed the result, if it says so. */
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
  /** The id of the account that submitted it. Unset: nobody had logged in. */
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
  /** Names this state of the record, for waitTask. It differs after every change and has no other meaning. */
  32: required string version,
  /** In pages: whether `params` had over 256 characters and are a text with their beginning; getTask has the whole. */
  33: optional bool paramsTruncated,
  /** Attempts that ended with the death of their worker; unset if there are none. From two on the task runs alone. */
  34: optional i32 workersLost,
  /** The last 20 attempts, oldest first; unset before the first, and in pages. */
  35: optional list<TaskAttempt> attempts,
  /** In pages of pageTasksWhy: why it waits. Unset if it does not. */
  36: optional Waiting waiting,
  /** In pages: the name of the account that owns it. Unset if nobody owns it, or the account was deleted. */
  37: optional string ownerName,
  /** Files that the task has made, by name; unset if there are none, and in pages. */
  38: optional list<Artifact> artifacts,
  /** people: no worker takes it, and it is open until somebody completes it. Unset: workers do it. */
  39: optional string doneBy
}

/** Options of a submit. Unset fields have the default of the server or of the kind. */
struct SubmitOptions {
  /** 0 to 9, 9 runs first; 5 by default. */
  1: optional i8 priority,
  /** The task does not start before. */
  2: optional string notBefore,
  /** The task fails with EXPIRED if it has not started before. */
  3: optional string expiresAt,
  /** Attempts in all, lost workers included: 1 to 1000. */
  4: optional i32 maxAttempts,
  /** How an error that the kind throws is retried. */
  5: optional RetryPolicy retryPolicy,
  /** True: an error is final, even if the kind has a retry policy. Not together with retryPolicy. */
  6: optional bool neverRetry,
  7: optional TimeLimits limits,
  8: optional string title,
  9: optional string description,
  /** 1 to 255 visible ASCII characters. A repeated submit with the same key and task returns the first task. */
  10: optional string idempotencyKey
}

/** Something new on the shared list. */
struct NewItem {
  /** What is to be done: one line of 1 to 200 characters. */
  1: required string title,
  /** Up to 2000 characters. */
  2: optional string description,
  /** Who is to do it: a name of up to 100 characters, which need not be that of an account. */
  3: optional string assignee,
  /** As in SubmitOptions. */
  4: optional string idempotencyKey
}

/** What changes of a task that people do. Unset fields stay. */
struct TaskEdit {
  1: optional string title,
  /** Empty: none. */
  2: optional string description,
  /** Empty: nobody in particular. */
  3: optional string assignee
}

/** Which tasks a page holds: every field that is set must fit. */
struct TaskFilter {
  1: optional list<string> statuses,
  2: optional list<string> kinds,
  /** The name or the id of an account. */
  3: optional string owner,
  4: optional string parentId,
  /** A text in the id, kind, title or description, ignoring case. */
  5: optional string text,
  /** Created at or after. */
  6: optional string createdFrom,
  /** Created before. */
  7: optional string createdTo,
  /** The error has one of these codes. */
  8: optional list<string> errorCodes,
  /** A text in the message of the error, ignoring case. */
  9: optional string errorText,
  /** Ended at or after; only ended tasks fit. */
  10: optional string finishedFrom,
  /** Ended before; only ended tasks fit. */
  11: optional string finishedTo,
  /** The error has this message but for numbers, ids and times; an ellipsis stands for one of those. */
  12: optional string errorLike,
  /**
   * The order of the list: createdAt, finishedAt, or one of them after a minus, which is the latest first. Unset:
   * -createdAt. By finishedAt, only ended tasks are listed.
   */
  13: optional string sort
}

/** Some tasks, newest first or as the filter's `sort` says. */
struct TaskPage {
  1: required list<Task> tasks,
  /** Continues after this page; unset at the end. */
  2: optional string nextCursor
}

/** The outcome of a cancel. */
struct Cancelled {
  /** revoked: the task has ended. requested: it runs; the cancel request is durable, and the task will end soon. */
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
  /** Of the task's record. If it differs between two pieces, the task has run again, and they do not fit together. */
  4: required i64 rev
}

/** A file that somebody has sent, for tasks to read: params name it as {"$upload": "<id>"}. */
struct Upload {
  1: required string id,
  /** As the client called it. */
  2: optional string name,
  /** So far, while it is open. */
  3: required i64 bytes,
  /** A media type, found in the bytes. Unset while it is open, as is the SHA-256. */
  4: optional string type,
  /** Of the bytes, in hex. */
  5: optional string sha256,
  /** open: bytes still come. whole: tasks may name it. */
  6: required string state,
  /** How many bytes were announced; unset if that is not known. */
  7: optional i64 length,
  /** The id of the account that made it. Unset: nobody had logged in. */
  8: optional string owner,
  9: required string createdAt,
  /** When it goes if no task names it until then. Unset: tasks name it, and it goes with the last one. */
  10: optional string expiresAt
}

/** Some uploads, by id. A page may have few or none and not be the last. */
struct UploadPage {
  1: required list<Upload> uploads,
  /** Continues after this page; unset at the end. */
  2: optional string nextCursor
}

/** Some bytes of a file. */
struct FilePiece {
  /** Empty at the end. */
  1: required binary bytes,
  /** Of the whole. */
  2: required i64 totalBytes,
  /** A media type, found in the bytes. */
  3: required string contentType,
  /** Of the whole, in hex. If it differs between two pieces, another file has taken the name. */
  4: required string sha256
}

/** A line of a task's log, or a mark where lines are left out. */
struct LogEntry {
  /** The place of the line among all that the task ever wrote, from 1; of a mark, that of the last line left out. */
  1: required i64 number,
  /** Unset in a mark, and in a log of an older version. */
  2: optional string at,
  /** As in the attempts of the task. Unset in a mark, and in a log of an older version. */
  3: optional i32 attempt,
  /** debug, info, warn or error. Unset in a mark. */
  4: optional string level,
  /** Unset in a mark. */
  5: optional string text,
  /** So many lines, up to `number`, are left out. Unset in a line. */
  6: optional i64 omitted
}

/** A task's log after some line. */
struct TaskLog {
  /** Empty if there is nothing new. */
  1: required list<LogEntry> entries,
  /** The number of the last line: ask again with it. 0: the task has written none. */
  2: required i64 last,
  /** Whether the task has ended, so that no more will come. */
  3: required bool ended
}

/** A kind of task. */
struct Kind {
  1: required string name,
  2: required string summary,
  /** JSON Schema of the params. */
  3: required string paramsSchema,
  /** JSON Schema of the result. */
  4: required string resultSchema,
  /** JSON: params of a task that takes a moment. */
  5: required string example,
  6: required i32 maxAttempts,
  7: optional RetryPolicy retryPolicy,
  8: required TimeLimits limits,
  /** At most so many run at a time, over all workers. */
  9: optional i32 maxConcurrency,
  /** At most so many begin, as in 10/s. */
  10: optional string rate,
  /** Who does its tasks: workers or people. Unset by earlier servers: workers. */
  11: optional string doneBy,
  /**
   * SHA-256 in hex of its file, or of the list of its file and of all that it imports by relative paths. Unset where
   * it is not known.
   */
  12: optional string code
}

/** A kind whose file cannot be used. */
struct KindTrouble {
  1: required string name,
  /** The file's name, without its folder. */
  2: required string file,
  /** Why, for people. */
  3: required string reason,
  /** The roles whose processes could not use it, as far as known. */
  4: required list<string> roles
}

/** A process that has read the kinds again. */
struct ReloadedProcess {
  1: required string role,
  2: required string instance,
  3: required string host,
  4: required i32 pid,
  /** False: it had not said so yet. */
  5: required bool isUsed
}

/** What all processes use now, by the names of kinds. */
struct KindsReloaded {
  /** Of the reload. */
  1: required string id,
  2: required list<string> added,
  3: required list<string> changed,
  4: required list<string> removed,
  /** How many kinds are as they were. */
  5: required i32 unchanged,
  6: required list<ReloadedProcess> processes
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

/** Limits of a container that are lower than the machine's. */
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
  /** When it sent its last beat. */
  7: required string beatAt,
  /** Host and port that it listens on. */
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
  14: required map<string, string> troubles,
  /** How many of each kind it runs; unset for roles that run none. */
  15: optional map<string, i32> runningByKind,
  /** Why it begins no task now though slots are free; unset while it does. */
  16: optional string takesNone,
  /** Equal for two processes that use the same files of kinds. */
  17: optional string kindsCode,
  /** Since when it uses the kinds that it has, ISO-8601. */
  18: optional string kindsUsedAt
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
  /** Unset if no container limits the server. */
  16: optional ContainerLimits container,
  /** Unset if the store does not answer in time; troubles says why. */
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
  /** ready, connecting, blocked or closed. Submits are accepted in any case. */
  2: required string status,
  /** What is wrong, and what would fix it. */
  3: optional string reason,
  /** Announcements in the queue; unset if unknown. */
  4: optional i64 depth,
  /** Announcements of this process that wait for the broker. */
  5: required i64 outbox
}

/** Somebody who may log in. */
struct Account {
  /** Permanent, and the `owner` of the account's tasks. */
  1: required string id,
  2: required string name,
  /** viewer, user, operator or admin. */
  3: required string role,
  /** Unset: it was made by the start of the server. */
  4: optional string createdAt,
  /** Unset: it may log in. */
  5: optional string disabledAt,
  /** How its owner may sign in: password, oidc (by the provider of OpenID Connect), or both. Unset by earlier servers. */
  6: optional list<string> signIn
}

/** What a client has shown: a key, or the token of a session. */
struct Credential {
  /** key or session. */
  1: required string type,
  /** Of the key or the session. It gives no access. */
  2: required string id
}

/** Who asks, and what they may do. */
struct Me {
  /** Unset: nobody has logged in. */
  1: optional Account account,
  /** Some of read, submit, operate and admin. */
  2: required list<string> scopes,
  /** all, own-and-unowned or own: which tasks it sees. */
  3: required string sees,
  /** The kinds that it may submit and see; unset: every kind. */
  4: optional list<string> kinds,
  /** Unset: nothing was shown. */
  5: optional Credential credential,
  /** When that ends; unset: never, or nothing was shown. */
  6: optional string expiresAt
}

/** A login that has not ended. */
struct Session {
  1: required string id,
  2: required string createdAt,
  3: required string expiresAt,
  /** Where the login came from. */
  4: optional string address,
  /** The program that logged in, as it calls itself; unset for a login over Thrift. */
  5: optional string agent,
  /** Whether it is the one that asks. */
  6: required bool current
}

/** A key of an account, for programs. */
struct Key {
  1: required string id,
  2: required string name,
  /** Some of read, submit, operate and admin. */
  3: required list<string> scopes,
  /** The kinds that it may submit and see; unset: every kind. */
  4: optional list<string> kinds,
  /** Whether it sees only tasks of the account itself. */
  5: required bool own,
  6: required string createdAt,
  /** Unset: never. */
  7: optional string expiresAt,
  /** Written at most once a minute. */
  8: optional string lastUsedAt,
  /** The key itself: what `authenticate` takes. Only in the answer of createKey. */
  9: optional string key
}

/** What lets somebody make an account. */
struct Invitation {
  1: required string id,
  /** The role that the account will have. */
  2: required string role,
  /** What it is for, for people. */
  3: optional string note,
  /** The name of the admin who made it. */
  4: required string by,
  5: required string createdAt,
  6: required string expiresAt,
  /** The invitation itself: what createAccount takes. Only in the answer of createInvitation. */
  7: optional string invitation
}

/** A link that reads one task over REST: the record, the events and the result. */
struct Share {
  1: required string id,
  2: required string task,
  3: required string createdAt,
  4: required string expiresAt,
  /** What stands behind /shared/ in the address. Only in the answer of shareTask. */
  5: optional string token,
  /** The name of the account that made it. Unset: a stranger did, or somebody whom the caller does not see. */
  6: optional string by
}

/** A new session. */
struct Login {
  /** What `authenticate` takes. */
  1: required string token,
  2: required string expiresAt,
  3: required Account account
}

/** Some accounts, in the order of their ids. */
struct AccountPage {
  1: required list<Account> accounts,
  /** Continues after this page; unset at the end. */
  2: optional string nextCursor
}

/** Why somebody may make an account. With neither, the server must let everybody do so (REGISTRATION). */
struct AccountOptions {
  /** The role is the one that it was made for. */
  1: optional string invitation,
  /** viewer, user, operator or admin; only for admins. */
  2: optional string role
}

/** How a key is narrower than its account. */
struct KeyOptions {
  /** The kinds that it may submit and see. Unset: every kind. */
  1: optional list<string> kinds,
  /** True: it sees only tasks of the account itself. */
  2: optional bool own,
  /** Unset: it does not end by itself. */
  3: optional string expiresAt
}

/** What changes of an account. Unset fields stay as they are. */
struct AccountChanges {
  /** viewer, user, operator or admin. */
  1: optional string role,
  /** True: it may not log in, and its sessions and keys do not count. */
  2: optional bool disabled,
  /** A new one. It ends the account's sessions. */
  3: optional string password
}

/** Who has changed something. */
struct AuditActor {
  /** The id of the account. */
  1: required string account,
  /** Its name at that time. */
  2: required string name
}

/** A line of the audit: what was done, by whom, and what became of it. */
struct AuditEntry {
  1: required string id,
  2: required string at,
  /** Unset: nobody had logged in. */
  3: optional AuditActor actor,
  /** rest, rpc, dashboard or tool. */
  4: required string via,
  /** Such as task.cancel or key.create: docs/access.md has them all. */
  5: required string action,
  /** An id first, then what else there is to say. */
  6: optional string target,
  /** done, unknown (the server was killed before it could say), or the code of an error. */
  7: required string outcome,
  /** Where it came from. Unset: that is not known. */
  8: optional string address
}

/** Which lines of the audit. They fit all fields that are set. */
struct AuditFilter {
  /** The name or the id of an account. */
  1: optional string actor,
  /** One of these actions. */
  2: optional list<string> actions,
  /** An id, or the whole target. */
  3: optional string target,
  4: optional string outcome,
  /** At this time or later, ISO-8601 with a zone. */
  5: optional string timeFrom,
  /** Before this time. */
  6: optional string timeTo
}

/** Some lines of the audit, the newest first. A page may have few or none and not be the last. */
struct AuditPage {
  1: required list<AuditEntry> entries,
  /** Continues after this page; unset at the end. */
  2: optional string nextCursor
}

/** Everything that a task can do, for any language. A client of RPCcelery needs none of it. */
service Madhava extends RPCcelery {
  /** Does nothing but answer. */
  void ping(),

  /** The version of the server, as in 0.1.0. */
  string version(),

  /**
   * Submits a task. When this returns, the task is durable. `params` is JSON; empty means {}.
   * Refused: KIND_UNKNOWN, PARAMS_INVALID, BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH. Unavailable: KIND_IN_TROUBLE.
   */
  Task submitTask(1: string kind, 2: string params, 3: SubmitOptions options)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** One task. Refused: BAD_ID. */
  Task getTask(1: string id) throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * Waits until the task's version differs from this one, at most so many milliseconds (at most 30000), and returns the
   * task. An empty version is answered at once. Ask again with the version that you got. Refused: BAD_ID, BAD_REQUEST.
   */
  Task waitTask(1: string id, 2: string version, 3: i32 timeoutMs)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * A page of tasks, newest first or as the filter's `sort` says, with results cut to a preview. `limit` is 1 to 200; 0
   * means 50. `cursor` is the nextCursor of the page before, and empty for the first page. Refused: BAD_REQUEST,
   * BAD_CURSOR.
   */
  TaskPage pageTasks(1: TaskFilter filter, 2: i32 limit, 3: string cursor)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** As pageTasks; each task that waits says why in `waiting`. That costs more than a page without it. */
  TaskPage pageTasksWhy(1: TaskFilter filter, 2: i32 limit, 3: string cursor)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** Why a task waits. Conflict: TASK_NOT_WAITING. Refused: BAD_ID. */
  Waiting whyTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Cancels a task. Conflict: TASK_ENDED. Refused: BAD_ID. */
  Cancelled cancelTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Runs an ended task again. Conflict: TASK_NOT_ENDED, TASK_BUSY. Refused: BAD_ID, QUOTA_EXCEEDED. */
  Task retryTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * Puts something on the shared list, where people see and complete it: the short form of submitTask with the kind
   * manual. Refused: BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH, QUOTA_EXCEEDED. Unavailable: STORE_FULL.
   */
  Task createItem(1: NewItem item) throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * Changes the texts of an open task that people do. `version` is that of the task as you know it. Conflict:
   * VERSION_CHANGED, when somebody has changed it since (read it again); TASK_ENDED, which says who completed it;
   * NOT_FOR_PEOPLE, TASK_BUSY. Refused: VERSION_MISSING, BAD_ID, BAD_REQUEST.
   */
  Task editTask(1: string id, 2: TaskEdit edit, 3: string version)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * Completes an open task that people do: its result says who did it. `note` and `version` may be empty; with a version
   * it completes that one alone. Conflict: as in editTask. Refused: BAD_ID, BAD_REQUEST.
   */
  Task completeTask(1: string id, 2: string note, 3: string version)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Removes an ended task with its result and log, or an open one that people do. Conflict: TASK_NOT_ENDED. Refused: BAD_ID. */
  void purgeTask(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * A piece of the whole result of a task in SUCCESS: at most `length` bytes from the byte `offset`. `length` is at
   * most 524288, and 0 means 524288. Empty at the end. Conflict: TASK_NOT_ENDED. NotFound: RESULT_NOT_FOUND.
   * Refused: BAD_ID, RANGE_NOT_SATISFIABLE.
   */
  Piece readResult(1: string id, 2: i64 offset, 3: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** A piece of the task's log as text, as in readResult. The log may change between two pieces: see getTaskLog. */
  Piece readLog(1: string id, 2: i64 offset, 3: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * The task's log after the line with this number; 0: from its beginning. The first 200 lines and the last 800 are
   * kept, and marks stand where lines are left out. To follow it, ask again with `last`, such as every second, until
   * it has `ended`: each line comes once. Refused: BAD_ID, BAD_REQUEST.
   */
  TaskLog getTaskLog(1: string id, 2: i64 after)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * A piece of a file that the task has made, by its name in the record: as in readResult. NotFound: TASK_NOT_FOUND,
   * ARTIFACT_NOT_FOUND. Refused: BAD_ID, RANGE_NOT_SATISFIABLE.
   */
  FilePiece readArtifact(1: string id, 2: string name, 3: i64 offset, 4: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * Begins an upload. Its bytes come by appendUpload, and finishUpload says that all have come. `name` is for people
   * and may be empty. `length` is how many bytes will come; 0: that is not known. Refused: UPLOAD_TOO_LARGE,
   * BAD_REQUEST. Unavailable: UPLOADS_FULL, STORE_FULL.
   */
  Upload beginUpload(1: string name, 2: i64 length) throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * Adds bytes at `offset`, which is where the upload ends. When this returns, they are durable. They must fit a
   * message: send at most 524288. After a broken connection, `bytes` of getUpload says where to go on. Conflict:
   * UPLOAD_OFFSET, when the upload ends elsewhere; UPLOAD_BUSY. Refused: BAD_ID, BAD_REQUEST, UPLOAD_TOO_LARGE.
   * Unavailable: UPLOADS_FULL, STORE_FULL.
   */
  Upload appendUpload(1: string id, 2: i64 offset, 3: binary bytes)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * All bytes have come. `sha256` is theirs, in hex; empty: they are not compared. Of a large file this takes a while:
   * if the call runs out of time, ask again. Conflict: UPLOAD_OPEN, when fewer have come than were announced;
   * UPLOAD_BUSY. Refused: UPLOAD_DIGEST_WRONG, UPLOAD_TYPE_REFUSED, BAD_ID, BAD_REQUEST.
   */
  Upload finishUpload(1: string id, 2: string sha256)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** What is known of an upload. NotFound: UPLOAD_NOT_FOUND. Refused: BAD_ID. */
  Upload getUpload(1: string id) throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * A page of the uploads that the caller may see. `limit` is 1 to 200; 0 means 50. `cursor` is the nextCursor of the
   * page before, and empty for the first page. Refused: BAD_REQUEST, BAD_CURSOR.
   */
  UploadPage listUploads(1: i32 limit, 2: string cursor) throws (1: Refused refused, 2: Unavailable unavailable),

  /** A piece of an upload: as in readResult. Conflict: UPLOAD_OPEN. Refused: BAD_ID, RANGE_NOT_SATISFIABLE. */
  FilePiece readUpload(1: string id, 2: i64 offset, 3: i32 length)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** Removes an upload that no task names. Conflict: UPLOAD_IN_USE, UPLOAD_BUSY. Refused: BAD_ID. */
  void deleteUpload(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** The kinds of task that this server knows. */
  list<Kind> listKinds() throws (1: Unavailable unavailable, 2: Refused refused),

  /** The kinds whose files cannot be used. A submit to one is Unavailable with KIND_IN_TROUBLE; the others run. */
  list<KindTrouble> listKindTroubles() throws (1: Unavailable unavailable, 2: Refused refused),

  /**
   * Has all processes read the folders of kinds again. They use what they have read when each could read all of it;
   * else none does. It takes a minute at most. Refused: KINDS_NOT_LOADED, whose problems name the files and the
   * reasons; FORBIDDEN, for a login that does not see all tasks. Conflict: KINDS_RELOADING, while another one runs.
   */
  KindsReloaded reloadKinds() throws (1: Refused refused, 2: Conflict conflict, 3: Unavailable unavailable),

  /** The machine, the processes and the tasks. Refused: FORBIDDEN, for a login that does not see all tasks. */
  HostStatus hostStatus() throws (1: Unavailable unavailable, 2: Refused refused),

  /** The queue as the answering process sees it. Refused: as of hostStatus. */
  QueueStatus queueStatus() throws (1: Unavailable unavailable, 2: Refused refused),

  /**
   * Says who calls, first on a connection: a key or the token of a session. It holds for the calls that follow on this
   * connection, until the key or the session ends. A wrong one leaves the connection without a login. Over HTTP it is
   * refused: send `Authorization: Bearer` there. Refused: UNAUTHORIZED, BAD_REQUEST.
   */
  Me authenticate(1: string key) throws (1: Refused refused, 2: Unavailable unavailable),

  /** Who asks, and what they may do. Refused: UNAUTHORIZED, when what was shown has ended. */
  Me me() throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * Makes an account: with an invitation, by an admin with a role, or, if the server lets everybody do so, with
   * neither. Conflict: NAME_TAKEN. Refused: NAME_INVALID, PASSWORD_INVALID, INVITATION_INVALID, REGISTRATION_CLOSED,
   * SCOPE_MISSING, TOO_MANY_REQUESTS.
   */
  Account createAccount(1: string name, 2: string password, 3: AccountOptions options)
    throws (1: Refused refused, 2: Conflict conflict, 3: Unavailable unavailable),

  /**
   * Begins a session. Its token is for `authenticate`: this call does not change who the connection calls for.
   * Refused: LOGIN_WRONG, TOO_MANY_REQUESTS.
   */
  Login logIn(1: string name, 2: string password) throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * Ends the session of this connection. Its later calls are Refused with UNAUTHORIZED, until it authenticates again.
   * Refused: UNAUTHORIZED, when there is no session.
   */
  void logOut() throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * Ends all other sessions of the account. It needs a session. Conflict: PASSWORD_IS_SETTING. Refused: LOGIN_WRONG,
   * PASSWORD_INVALID, TOO_MANY_REQUESTS.
   */
  void changePassword(1: string password, 2: string newPassword)
    throws (1: Refused refused, 2: Conflict conflict, 3: Unavailable unavailable),

  /** The sessions of the account that asks. */
  list<Session> listSessions() throws (1: Refused refused, 2: Unavailable unavailable),

  /** Ends one of them. NotFound: SESSION_NOT_FOUND. */
  void endSession(1: string id) throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * Makes a key of the account that asks, which needs a session. `key` of the answer is shown this once. Refused:
   * SCOPE_MISSING, when the account itself may not do what the key is to do; BAD_REQUEST.
   */
  Key createKey(1: string name, 2: list<string> scopes, 3: KeyOptions options)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** The keys of the account that asks. */
  list<Key> listKeys() throws (1: Refused refused, 2: Unavailable unavailable),

  /** Ends one of them, at once and everywhere. NotFound: KEY_NOT_FOUND. */
  void revokeKey(1: string id) throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * Makes an invitation. For admins. `role` is the one that the account will have; empty means user. `seconds` is how
   * long it holds, 60 to 7776000; 0 means a week. `note` is for people and may be empty. `invitation` of the answer is
   * shown this once. Refused: BAD_REQUEST.
   */
  Invitation createInvitation(1: string role, 2: i32 seconds, 3: string note)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** The invitations that hold. For admins. */
  list<Invitation> listInvitations() throws (1: Refused refused, 2: Unavailable unavailable),

  /** Ends one of them. For admins. NotFound: INVITATION_NOT_FOUND. */
  void withdrawInvitation(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /**
   * A page of all accounts. For admins. `limit` is 1 to 200; 0 means 50. `cursor` is the nextCursor of the page
   * before, and empty for the first page. Refused: BAD_REQUEST, BAD_CURSOR.
   */
  AccountPage listAccounts(1: i32 limit, 2: string cursor)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /**
   * A page of the audit: who has changed what. For admins. `limit` and `cursor` are as in listAccounts. Refused:
   * BAD_REQUEST, BAD_CURSOR.
   */
  AuditPage pageAudit(1: AuditFilter filter, 2: i32 limit, 3: string cursor)
    throws (1: Refused refused, 2: Unavailable unavailable),

  /** For admins. Refused: ACCOUNT_BUILT_IN, PASSWORD_INVALID, BAD_REQUEST. NotFound: ACCOUNT_NOT_FOUND. */
  Account changeAccount(1: string id, 2: AccountChanges changes)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * Ends the account, its sessions and its keys, and frees its name. By an admin, or by a session of the account itself.
   * `tasks`: `keep` (also when it is left out or empty): its tasks stay under its id. `remove`: those that wait are
   * cancelled, those that run are asked to end, and all are removed within some seconds, or when they have ended.
   * Refused: ACCOUNT_BUILT_IN, BAD_REQUEST. NotFound: ACCOUNT_NOT_FOUND.
   */
  void deleteAccount(1: string id, 2: string tasks)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /**
   * Makes a link that reads this task over REST, for whoever may change it. `seconds` is how long it holds, 1 to
   * 2592000; 0 means a day. `token` of the answer is shown this once. Refused: BAD_REQUEST. Conflict: TOO_MANY_SHARES.
   */
  Share shareTask(1: string id, 2: i32 seconds)
    throws (1: Refused refused, 2: NotFound notFound, 3: Conflict conflict, 4: Unavailable unavailable),

  /** The links of a task that hold, for whoever may change it. */
  list<Share> listShares(1: string id)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable),

  /** Withdraws a link of a task. NotFound: SHARE_NOT_FOUND. */
  void withdrawShare(1: string id, 2: string share)
    throws (1: Refused refused, 2: NotFound notFound, 3: Unavailable unavailable)
}
