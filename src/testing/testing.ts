// What `import … from 'madhava/testing'` gives: tries a kind without a server, and with a whole one.

export type { Artifact, Json, Kind, LogLevel, TaskContext, UploadRef } from '../define-kind.ts'
export type { GivenUpload, KeptFile } from './run-files.ts'
export {
  type KindRun,
  type LoggedLine,
  type ProgressReport,
  type RunKindOptions,
  runKind,
  type SubmittedChild,
} from './run-kind.ts'
export { type StartedMadhava, type StartMadhavaOptions, startMadhava } from './start-madhava.ts'
