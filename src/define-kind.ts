// What `import … from 'madhava'` gives: all that the file of a kind needs, and the types of what it gets.

export { z } from 'zod'
export { ExecError } from './core/exec.ts'
export {
  type Artifact,
  type ArtifactContent,
  type ChildOptions,
  defineKind,
  type ExecFailure,
  type ExecOptions,
  type ExecResult,
  type Kind,
  type KindSettings,
  type KindTools,
  type TaskContext,
  type UploadedFile,
} from './core/kind.ts'
export type { Json, Limits, RetryPolicy } from './core/task.ts'
export type { LogLevel } from './core/task-log.ts'
export { type UploadRef, type UploadRule, uploadSchema as upload } from './core/upload-ref.ts'
