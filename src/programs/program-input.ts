// What a program reads: one line that says what to do, and after it, if it wants them, a line for each answer.
import type { Writable } from 'node:stream'
import type { TaskContext } from '../core/kind.ts'
import type { Json } from '../core/task.ts'
import { reasonOf } from '../core/thrown.ts'
import { findUploads, idsOf } from '../core/upload-params.ts'
import type { Answer } from './program-calls.ts'

/** An upload that the params name. */
interface InputUpload {
  /** Of its copy in the program's folder. */
  path: string
  name: string | null
  bytes: number
  type: string
  sha256: string
}

/** So many bytes of answers wait for a program that does not read them. */
const UNREAD_MAX = 1024 * 1024

const resumeText = (context: TaskContext): string => {
  try {
    return JSON.stringify(context.resume ?? null)
  } catch (error) {
    // a module of this name has saved it
    context.log(`the checkpoint left out: it is no JSON (${reasonOf(error, 200)})`, 'warn')
    return 'null'
  }
}

/** `schema`: of the params. @throws UPLOAD_NOT_FOUND, STORE_UNAVAILABLE; the signal's reason */
export const firstLine = async (params: Json, schema: Json, context: TaskContext): Promise<string> => {
  const uploads: Record<string, InputUpload> = {}
  for (const id of idsOf(findUploads(params, schema))) {
    const upload = await context.upload({ $upload: id })
    const { name, bytes, type, sha256 } = upload
    uploads[id] = { path: await upload.path(), name, bytes, type, sha256 }
  }
  const { id, attempt } = context
  const [start, end] = [JSON.stringify({ id, attempt, params }), JSON.stringify({ uploads })]
  return `${start.slice(0, -1)},"resume":${resumeText(context)},${end.slice(1)}\n`
}

/** Answers to a program. Those that it does not read are left out in the end. */
export const createAnswers = (input: Writable, context: TaskContext) => {
  let isFull = false
  return (answer: Answer): void => {
    if (input.destroyed || !input.writable) return
    if (input.writableLength > UNREAD_MAX) {
      if (!isFull) context.log('answers left out: the program does not read its input', 'warn')
      isFull = true
      return
    }
    isFull = false
    input.write(`${JSON.stringify(answer)}\n`)
  }
}
