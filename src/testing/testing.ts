// What `import … from 'madhava/testing'` gives: tries a kind without a server.

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
