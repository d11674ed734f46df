// The original interface, as its old clients were generated from it. Nothing here may ever change.

struct calcResult {
  1: required string id,
  2: required string status,
  3: required string pushqtime,
  4: optional string starttime,
  5: optional string stoptime,
  6: optional double result
}

struct RESULT {
  1: required double percent,
  2: required double intermediate
}

exception BadTask {
  1: required string uuid,
  2: required i16 error_code
}

service RPCcelery {
  string startCalcPi(1: i8 decimal),
  calcResult getTaskStatus(1: string uuid) throws (1: BadTask bt),
  list<calcResult> listTasks()
}
