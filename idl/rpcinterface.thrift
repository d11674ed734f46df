// Madhava's Thrift door: port 9000, buffered transport, binary protocol with strict headers.
//
// A message may have up to 1 MiB. Calls of one connection are answered one after another, in their order; open
// more connections for more at a time. A connection that is silent for 60 seconds is closed.
//
// An error that a method does not declare comes as a TApplicationException. Its message begins with a permanent
// code, as in "PARAMS_INVALID: ..."; the codes are those of the REST door.

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
