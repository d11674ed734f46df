// The process in which files of kinds are tried: one that ends, hangs or breaks its process ends this one alone. It is
// asked over its IPC channel, one question at a time, and ends with that.
import { isMadhavaError } from '../core/errors.ts'
import type { NamedKind } from '../core/kind.ts'
import { parseStoredParams } from '../core/kind-result.ts'
import type { Json } from '../core/task.ts'
import { reasonOf } from '../core/thrown.ts'
import { loadKindFile } from '../load-kind-file.ts'

export type Question = { load: string } | { fits: string; params: Json[] }

/** A kind as the console shows it. */
export interface CheckedKind {
  name: string
  summary: string
  /** JSON Schema. */
  params: Json
  example: Json
  /** People do its tasks: no worker runs them. */
  isForPeople: boolean
}

export type Answer =
  | { begun: true }
  | { kind: CheckedKind }
  | { trouble: string }
  /** Of each params why they do not fit; null: they do. */
  | { reasons: (string | null)[] }

const say = (answer: Answer): void => {
  process.send?.(answer)
}

const loaded = new Map<string, Promise<NamedKind>>()
const load = (file: string): Promise<NamedKind> => {
  const known = loaded.get(file) ?? loadKindFile(file)
  loaded.set(file, known)
  return known
}

const textOf = (error: unknown): string => (isMadhavaError(error) ? error.message : reasonOf(error))

const whyUnfit = async (kind: NamedKind, params: Json): Promise<string | null> => {
  try {
    await parseStoredParams(kind, params)
    return null
  } catch (error) {
    return textOf(error)
  }
}

const answer = async (question: Question): Promise<Answer> => {
  if ('load' in question) {
    const kind = await load(question.load)
    // what a file leaves behind shows a moment later
    await new Promise(resolve => setImmediate(resolve))
    return {
      kind: {
        name: kind.name,
        summary: kind.summary,
        params: kind.schemas.params,
        example: kind.example,
        isForPeople: kind.doneBy === 'people',
      },
    }
  }
  const kind = await load(question.fits)
  const reasons: (string | null)[] = []
  for (const params of question.params) reasons.push(await whyUnfit(kind, params))
  return { reasons }
}

/** What nobody waits for belongs to the question of the moment: a file is asked about alone. */
let complain = (_: string): void => {}
process.on('unhandledRejection', error => complain(textOf(error)))
process.on('uncaughtException', error => complain(textOf(error)))

const { exit } = process
process.exit = (code?: number | string | null): never => {
  complain(`it calls process.exit(${code ?? ''})`)
  throw new Error(`it calls process.exit(${code ?? ''})`)
}
/** What is being answered. */
let current: Promise<unknown> = Promise.resolve()
// a program that is asked with --describe is ended by who asks it
process.on('disconnect', () => void current.finally(() => exit()))

process.on('message', (question: Question) => {
  const complaint = new Promise<Answer>(resolve => {
    complain = trouble => resolve({ trouble })
  })
  say({ begun: true })
  const answered = answer(question).catch((error: unknown): Answer => ({ trouble: textOf(error) }))
  current = answered
  void Promise.race([answered, complaint]).then(say)
})
