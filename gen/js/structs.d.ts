// The structs of rpcinterface_types.d.ts alone, by bin/generate-rpc: callers of the client have no types of Thrift.

/** A whole number of 64 bits. */
export interface Int64 {
    toNumber(allowImprecise?: boolean): number;
    readonly buffer: Buffer;
    readonly offset: number;
}


/**
 * One task. Times are ISO-8601 in UTC with milliseconds, as in 2026-01-31T12:00:00.000Z.
 */
export declare class calcResult {
    public id: string;
    public status: string;
    public pushqtime: string;
    public starttime?: string;
    public stoptime?: string;
    public result?: number;

      constructor(args?: { id: string; status: string; pushqtime: string; starttime?: string; stoptime?: string; result?: number; });
  }

/**
 * Progress of a running task, as the original interface described it. No method of RPCcelery returns it.
 */
export declare class RESULT {
    public percent: number;
    public intermediate: number;

      constructor(args?: { percent: number; intermediate: number; });
  }

/**
 * The task cannot be shown.
 */
export declare class BadTask extends Error {
    public uuid: string;
    public error_code: number;

      constructor(args?: { uuid: string; error_code: number; });
  }

/**
 * One mistake in a call.
 */
export declare class Problem {
    public path: string;
    public problem: string;

      constructor(args?: { path: string; problem: string; });
  }

/**
 * The call is wrong, or this client may not make it: correct it, or log in.
 */
export declare class Refused extends Error {
    public code: string;
    public message: string;
    public status: number;
    public problems: Problem[];
    public retryAfterSeconds?: number;

      constructor(args?: { code: string; message: string; status: number; problems: Problem[]; retryAfterSeconds?: number; });
  }

/**
 * There is no such task, upload or file, or the task has no result. Of accounts: there is no such account, session, key
 * or invitation.
 */
export declare class NotFound extends Error {
    public code: string;
    public message: string;
    public status: number;

      constructor(args?: { code: string; message: string; status: number; });
  }

/**
 * The state of the task does not allow it: it has ended, has not ended, does not wait, is just being changed, or was
 * changed since it was read. Of uploads: the bytes do not continue where it ends, have not all come, or a task names
 * it. Of accounts: the name is taken, or the account was changed by somebody else at the same time.
 */
export declare class Conflict extends Error {
    public code: string;
    public message: string;
    public status: number;

      constructor(args?: { code: string; message: string; status: number; });
  }

/**
 * Not now: the same call may succeed a little later. Nothing was done, unless the call ran out of time.
 */
export declare class Unavailable extends Error {
    public code: string;
    public message: string;
    public status: number;

      constructor(args?: { code: string; message: string; status: number; });
  }

/**
 * How far a running task is.
 */
export declare class Progress {
    public percent: number;
    public note?: string;
    public etaSeconds?: number;

      constructor(args?: { percent: number; note?: string; etaSeconds?: number; });
  }

/**
 * Why a task failed.
 */
export declare class TaskError {
    public code: string;
    public message: string;
    public detail?: string;

      constructor(args?: { code: string; message: string; detail?: string; });
  }

/**
 * One move of a task from a status to the next.
 */
export declare class HistoryEntry {
    public status: string;
    public at: string;
    public attempt: number;
    public worker?: string;

      constructor(args?: { status: string; at: string; attempt: number; worker?: string; });
  }

/**
 * One attempt at a task.
 */
export declare class TaskAttempt {
    public attempt: number;
    public worker: string;
    public startedAt: string;
    public endedAt?: string;
    public outcome?: string;
    public error?: TaskError;
    public code?: string;

      constructor(args?: { attempt: number; worker: string; startedAt: string; endedAt?: string; outcome?: string; error?: TaskError; code?: string; });
  }

/**
 * A file that a task has made.
 */
export declare class Artifact {
    public name: string;
    public bytes: Int64;
    public type: string;
    public sha256: string;

      constructor(args?: { name: string; bytes: Int64; type: string; sha256: string; });
  }

/**
 * How an error that a kind throws is retried: exponential backoff with jitter. Unset fields have their default.
 */
export declare class RetryPolicy {
    public delaySeconds?: number;
    public factor?: number;
    public maxDelaySeconds?: number;
    public retryOn?: string[];

      constructor(args?: { delaySeconds?: number; factor?: number; maxDelaySeconds?: number; retryOn?: string[]; });
  }

/**
 * Time limits of one attempt, seconds. Unset: none.
 */
export declare class TimeLimits {
    public softSeconds?: number;
    public hardSeconds?: number;

      constructor(args?: { softSeconds?: number; hardSeconds?: number; });
  }

/**
 * An estimate of when a task starts, in seconds from now.
 */
export declare class StartEstimate {
    public p50: number;
    public p90: number;

      constructor(args?: { p50: number; p90: number; });
  }

/**
 * What the detail of a Waiting says, for programs. Each reason has those that it needs.
 */
export declare class WaitFacts {
    public dueAt?: string;
    public running?: number;
    public maxConcurrency?: number;
    public rate?: string;
    public slots?: number;
    public busy?: number;
    public trouble?: string;

      constructor(args?: { dueAt?: string; running?: number; maxConcurrency?: number; rate?: string; slots?: number; busy?: number; trouble?: string; });
  }

/**
 * Why a task waits, as of now.
 */
export declare class Waiting {
    public reason: string;
    public since: string;
    public detail: string;
    public facts: WaitFacts;
    public position?: number;
    public startsIn?: StartEstimate;

      constructor(args?: { reason: string; since: string; detail: string; facts: WaitFacts; position?: number; startsIn?: StartEstimate; });
  }

/**
 * One task with its whole record.
 */
export declare class Task {
    public id: string;
    public kind: string;
    public status: string;
    public params: string;
    public rev: Int64;
    public claim: Int64;
    public attempt: number;
    public maxAttempts: number;
    public priority: any;
    public progress?: Progress;
    public result?: string;
    public resultBytes?: Int64;
    public resultTruncated: boolean;
    public resultInfo?: string;
    public error?: TaskError;
    public createdAt: string;
    public notBefore?: string;
    public expiresAt?: string;
    public startedAt?: string;
    public finishedAt?: string;
    public updatedAt: string;
    public worker?: string;
    public owner?: string;
    public parentId?: string;
    public title?: string;
    public description?: string;
    public idempotencyKey?: string;
    public revokeRequestedAt?: string;
    public retryPolicy?: RetryPolicy;
    public limits: TimeLimits;
    public history: HistoryEntry[];
    public version: string;
    public paramsTruncated?: boolean;
    public workersLost?: number;
    public attempts?: TaskAttempt[];
    public waiting?: Waiting;
    public ownerName?: string;
    public artifacts?: Artifact[];
    public doneBy?: string;

      constructor(args?: { id: string; kind: string; status: string; params: string; rev: Int64; claim: Int64; attempt: number; maxAttempts: number; priority: any; progress?: Progress; result?: string; resultBytes?: Int64; resultTruncated: boolean; resultInfo?: string; error?: TaskError; createdAt: string; notBefore?: string; expiresAt?: string; startedAt?: string; finishedAt?: string; updatedAt: string; worker?: string; owner?: string; parentId?: string; title?: string; description?: string; idempotencyKey?: string; revokeRequestedAt?: string; retryPolicy?: RetryPolicy; limits: TimeLimits; history: HistoryEntry[]; version: string; paramsTruncated?: boolean; workersLost?: number; attempts?: TaskAttempt[]; waiting?: Waiting; ownerName?: string; artifacts?: Artifact[]; doneBy?: string; });
  }

/**
 * Options of a submit. Unset fields have the default of the server or of the kind.
 */
export declare class SubmitOptions {
    public priority?: any;
    public notBefore?: string;
    public expiresAt?: string;
    public maxAttempts?: number;
    public retryPolicy?: RetryPolicy;
    public neverRetry?: boolean;
    public limits?: TimeLimits;
    public title?: string;
    public description?: string;
    public idempotencyKey?: string;

      constructor(args?: { priority?: any; notBefore?: string; expiresAt?: string; maxAttempts?: number; retryPolicy?: RetryPolicy; neverRetry?: boolean; limits?: TimeLimits; title?: string; description?: string; idempotencyKey?: string; });
  }

/**
 * Something new on the shared list.
 */
export declare class NewItem {
    public title: string;
    public description?: string;
    public assignee?: string;
    public idempotencyKey?: string;

      constructor(args?: { title: string; description?: string; assignee?: string; idempotencyKey?: string; });
  }

/**
 * What changes of a task that people do. Unset fields stay.
 */
export declare class TaskEdit {
    public title?: string;
    public description?: string;
    public assignee?: string;

      constructor(args?: { title?: string; description?: string; assignee?: string; });
  }

/**
 * Which tasks a page holds: every field that is set must fit.
 */
export declare class TaskFilter {
    public statuses?: string[];
    public kinds?: string[];
    public owner?: string;
    public parentId?: string;
    public text?: string;
    public createdFrom?: string;
    public createdTo?: string;
    public errorCodes?: string[];
    public errorText?: string;
    public finishedFrom?: string;
    public finishedTo?: string;
    public errorLike?: string;
    public sort?: string;

      constructor(args?: { statuses?: string[]; kinds?: string[]; owner?: string; parentId?: string; text?: string; createdFrom?: string; createdTo?: string; errorCodes?: string[]; errorText?: string; finishedFrom?: string; finishedTo?: string; errorLike?: string; sort?: string; });
  }

/**
 * Some tasks, newest first or as the filter's `sort` says.
 */
export declare class TaskPage {
    public tasks: Task[];
    public nextCursor?: string;

      constructor(args?: { tasks: Task[]; nextCursor?: string; });
  }

/**
 * The outcome of a cancel.
 */
export declare class Cancelled {
    public outcome: string;
    public task: Task;

      constructor(args?: { outcome: string; task: Task; });
  }

/**
 * Some bytes of a result or a log.
 */
export declare class Piece {
    public bytes: Buffer;
    public totalBytes: Int64;
    public contentType: string;
    public rev: Int64;

      constructor(args?: { bytes: Buffer; totalBytes: Int64; contentType: string; rev: Int64; });
  }

/**
 * A file that somebody has sent, for tasks to read: params name it as {"$upload": "<id>"}.
 */
export declare class Upload {
    public id: string;
    public name?: string;
    public bytes: Int64;
    public type?: string;
    public sha256?: string;
    public state: string;
    public length?: Int64;
    public owner?: string;
    public createdAt: string;
    public expiresAt?: string;

      constructor(args?: { id: string; name?: string; bytes: Int64; type?: string; sha256?: string; state: string; length?: Int64; owner?: string; createdAt: string; expiresAt?: string; });
  }

/**
 * Some uploads, by id. A page may have few or none and not be the last.
 */
export declare class UploadPage {
    public uploads: Upload[];
    public nextCursor?: string;

      constructor(args?: { uploads: Upload[]; nextCursor?: string; });
  }

/**
 * Some bytes of a file.
 */
export declare class FilePiece {
    public bytes: Buffer;
    public totalBytes: Int64;
    public contentType: string;
    public sha256: string;

      constructor(args?: { bytes: Buffer; totalBytes: Int64; contentType: string; sha256: string; });
  }

/**
 * A line of a task's log, or a mark where lines are left out.
 */
export declare class LogEntry {
    public number: Int64;
    public at?: string;
    public attempt?: number;
    public level?: string;
    public text?: string;
    public omitted?: Int64;

      constructor(args?: { number: Int64; at?: string; attempt?: number; level?: string; text?: string; omitted?: Int64; });
  }

/**
 * A task's log after some line.
 */
export declare class TaskLog {
    public entries: LogEntry[];
    public last: Int64;
    public ended: boolean;

      constructor(args?: { entries: LogEntry[]; last: Int64; ended: boolean; });
  }

/**
 * A kind of task.
 */
export declare class Kind {
    public name: string;
    public summary: string;
    public paramsSchema: string;
    public resultSchema: string;
    public example: string;
    public maxAttempts: number;
    public retryPolicy?: RetryPolicy;
    public limits: TimeLimits;
    public maxConcurrency?: number;
    public rate?: string;
    public doneBy?: string;
    public code?: string;

      constructor(args?: { name: string; summary: string; paramsSchema: string; resultSchema: string; example: string; maxAttempts: number; retryPolicy?: RetryPolicy; limits: TimeLimits; maxConcurrency?: number; rate?: string; doneBy?: string; code?: string; });
  }

/**
 * A kind whose file cannot be used.
 */
export declare class KindTrouble {
    public name: string;
    public file: string;
    public reason: string;
    public roles: string[];

      constructor(args?: { name: string; file: string; reason: string; roles: string[]; });
  }

/**
 * A process that has read the kinds again.
 */
export declare class ReloadedProcess {
    public role: string;
    public instance: string;
    public host: string;
    public pid: number;
    public isUsed: boolean;

      constructor(args?: { role: string; instance: string; host: string; pid: number; isUsed: boolean; });
  }

/**
 * What all processes use now, by the names of kinds.
 */
export declare class KindsReloaded {
    public id: string;
    public added: string[];
    public changed: string[];
    public removed: string[];
    public unchanged: number;
    public processes: ReloadedProcess[];

      constructor(args?: { id: string; added: string[]; changed: string[]; removed: string[]; unchanged: number; processes: ReloadedProcess[]; });
  }

export declare class Cpu {
    public model?: string;
    public cores: number;
    public physicalCores?: number;
    public loadPercent?: number;
    public loadPercentPerCore: number[];

      constructor(args?: { model?: string; cores: number; physicalCores?: number; loadPercent?: number; loadPercentPerCore: number[]; });
  }

export declare class Memory {
    public totalBytes: Int64;
    public availableBytes: Int64;
    public usedBytes: Int64;
    public usedPercent: number;

      constructor(args?: { totalBytes: Int64; availableBytes: Int64; usedBytes: Int64; usedPercent: number; });
  }

export declare class Disk {
    public path: string;
    public totalBytes: Int64;
    public freeBytes: Int64;
    public usedPercent: number;
    public data: boolean;

      constructor(args?: { path: string; totalBytes: Int64; freeBytes: Int64; usedPercent: number; data: boolean; });
  }

export declare class NetworkAddress {
    public networkInterface: string;
    public address: string;
    public family: string;
    public isInternal: boolean;

      constructor(args?: { networkInterface: string; address: string; family: string; isInternal: boolean; });
  }

/**
 * Limits of a container that are lower than the machine's.
 */
export declare class ContainerLimits {
    public cpuCores?: number;
    public cpusetCores?: number;
    public memoryLimitBytes?: Int64;
    public memoryUsedBytes?: Int64;

      constructor(args?: { cpuCores?: number; cpusetCores?: number; memoryLimitBytes?: Int64; memoryUsedBytes?: Int64; });
  }

/**
 * A process of the bundle.
 */
export declare class BundleProcess {
    public role: string;
    public instance: string;
    public host: string;
    public pid: number;
    public alive: boolean;
    public startedAt: string;
    public beatAt: string;
    public address?: string;
    public slots: number;
    public running: string[];
    public counters: { [k: string]: Int64; };
    public rssBytes: Int64;
    public cpu: number;
    public troubles: { [k: string]: string; };
    public runningByKind?: { [k: string]: number; };
    public takesNone?: string;
    public kindsCode?: string;
    public kindsUsedAt?: string;

      constructor(args?: { role: string; instance: string; host: string; pid: number; alive: boolean; startedAt: string; beatAt: string; address?: string; slots: number; running: string[]; counters: { [k: string]: Int64; }; rssBytes: Int64; cpu: number; troubles: { [k: string]: string; }; runningByKind?: { [k: string]: number; }; takesNone?: string; kindsCode?: string; kindsUsedAt?: string; });
  }

/**
 * The machine, the processes and the tasks.
 */
export declare class HostStatus {
    public name: string;
    public version: string;
    public time: string;
    public sampledAt: string;
    public hostName: string;
    public uptimeSeconds: number;
    public platform: string;
    public osName?: string;
    public kernel: string;
    public arch: string;
    public cpu: Cpu;
    public loadAverages: number[];
    public memory: Memory;
    public disks: Disk[];
    public addresses: NetworkAddress[];
    public container?: ContainerLimits;
    public processes?: BundleProcess[];
    public tasks?: { [k: string]: Int64; };
    public troubles: { [k: string]: string; };

      constructor(args?: { name: string; version: string; time: string; sampledAt: string; hostName: string; uptimeSeconds: number; platform: string; osName?: string; kernel: string; arch: string; cpu: Cpu; loadAverages: number[]; memory: Memory; disks: Disk[]; addresses: NetworkAddress[]; container?: ContainerLimits; processes?: BundleProcess[]; tasks?: { [k: string]: Int64; }; troubles: { [k: string]: string; }; });
  }

/**
 * The queue as this process sees it.
 */
export declare class QueueStatus {
    public name: string;
    public status: string;
    public reason?: string;
    public depth?: Int64;
    public outbox: Int64;

      constructor(args?: { name: string; status: string; reason?: string; depth?: Int64; outbox: Int64; });
  }

/**
 * Somebody who may log in.
 */
export declare class Account {
    public id: string;
    public name: string;
    public role: string;
    public createdAt?: string;
    public disabledAt?: string;
    public signIn?: string[];

      constructor(args?: { id: string; name: string; role: string; createdAt?: string; disabledAt?: string; signIn?: string[]; });
  }

/**
 * What a client has shown: a key, or the token of a session.
 */
export declare class Credential {
    public type: string;
    public id: string;

      constructor(args?: { type: string; id: string; });
  }

/**
 * Who asks, and what they may do.
 */
export declare class Me {
    public account?: Account;
    public scopes: string[];
    public sees: string;
    public kinds?: string[];
    public credential?: Credential;
    public expiresAt?: string;

      constructor(args?: { account?: Account; scopes: string[]; sees: string; kinds?: string[]; credential?: Credential; expiresAt?: string; });
  }

/**
 * A login that has not ended.
 */
export declare class Session {
    public id: string;
    public createdAt: string;
    public expiresAt: string;
    public address?: string;
    public agent?: string;
    public current: boolean;

      constructor(args?: { id: string; createdAt: string; expiresAt: string; address?: string; agent?: string; current: boolean; });
  }

/**
 * A key of an account, for programs.
 */
export declare class Key {
    public id: string;
    public name: string;
    public scopes: string[];
    public kinds?: string[];
    public own: boolean;
    public createdAt: string;
    public expiresAt?: string;
    public lastUsedAt?: string;
    public key?: string;

      constructor(args?: { id: string; name: string; scopes: string[]; kinds?: string[]; own: boolean; createdAt: string; expiresAt?: string; lastUsedAt?: string; key?: string; });
  }

/**
 * What lets somebody make an account.
 */
export declare class Invitation {
    public id: string;
    public role: string;
    public note?: string;
    public by: string;
    public createdAt: string;
    public expiresAt: string;
    public invitation?: string;

      constructor(args?: { id: string; role: string; note?: string; by: string; createdAt: string; expiresAt: string; invitation?: string; });
  }

/**
 * A link that reads one task over REST: the record, the events and the result.
 */
export declare class Share {
    public id: string;
    public task: string;
    public createdAt: string;
    public expiresAt: string;
    public token?: string;
    public by?: string;

      constructor(args?: { id: string; task: string; createdAt: string; expiresAt: string; token?: string; by?: string; });
  }

/**
 * A new session.
 */
export declare class Login {
    public token: string;
    public expiresAt: string;
    public account: Account;

      constructor(args?: { token: string; expiresAt: string; account: Account; });
  }

/**
 * Some accounts, in the order of their ids.
 */
export declare class AccountPage {
    public accounts: Account[];
    public nextCursor?: string;

      constructor(args?: { accounts: Account[]; nextCursor?: string; });
  }

/**
 * Why somebody may make an account. With neither, the server must let everybody do so (REGISTRATION).
 */
export declare class AccountOptions {
    public invitation?: string;
    public role?: string;

      constructor(args?: { invitation?: string; role?: string; });
  }

/**
 * How a key is narrower than its account.
 */
export declare class KeyOptions {
    public kinds?: string[];
    public own?: boolean;
    public expiresAt?: string;

      constructor(args?: { kinds?: string[]; own?: boolean; expiresAt?: string; });
  }

/**
 * What changes of an account. Unset fields stay as they are.
 */
export declare class AccountChanges {
    public role?: string;
    public disabled?: boolean;
    public password?: string;

      constructor(args?: { role?: string; disabled?: boolean; password?: string; });
  }

/**
 * Who has changed something.
 */
export declare class AuditActor {
    public account: string;
    public name: string;

      constructor(args?: { account: string; name: string; });
  }

/**
 * A line of the audit: what was done, by whom, and what became of it.
 */
export declare class AuditEntry {
    public id: string;
    public at: string;
    public actor?: AuditActor;
    public via: string;
    public action: string;
    public target?: string;
    public outcome: string;
    public address?: string;

      constructor(args?: { id: string; at: string; actor?: AuditActor; via: string; action: string; target?: string; outcome: string; address?: string; });
  }

/**
 * Which lines of the audit. They fit all fields that are set.
 */
export declare class AuditFilter {
    public actor?: string;
    public actions?: string[];
    public target?: string;
    public outcome?: string;
    public timeFrom?: string;
    public timeTo?: string;

      constructor(args?: { actor?: string; actions?: string[]; target?: string; outcome?: string; timeFrom?: string; timeTo?: string; });
  }

/**
 * Some lines of the audit, the newest first. A page may have few or none and not be the last.
 */
export declare class AuditPage {
    public entries: AuditEntry[];
    public nextCursor?: string;

      constructor(args?: { entries: AuditEntry[]; nextCursor?: string; });
  }
