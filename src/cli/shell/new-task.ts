// `task` at the prompt: asks which kind, then its params, one after another.
import type { Client, KindInfo } from '../../client/client.ts'
import {
  choicesOf,
  fieldsOf,
  isRequired,
  noteOf,
  type Schema,
  takesUpload,
  typesOf,
} from '../params/schema.ts'
import type { Questions } from '../questions.ts'

const LEFT_OUT = ''

const hintOf = (field: Schema, root: Schema): string => {
  if (takesUpload(field, root)) return 'a file'
  const types = [...typesOf(field, root)]
  return types.length === 0 ? 'a text' : types.join(' or ')
}

/** The words of a `submit` that does what was answered. */
export const askNewTask = async (
  client: Client,
  questions: Questions,
  signal: AbortSignal,
): Promise<string[]> => {
  const kinds = await client.kinds({ signal })
  const name = await questions.choose(
    'What is to be computed?',
    kinds.map(kind => ({ value: kind.name, label: kind.name, hint: kind.summary })),
  )
  const { params } = kinds.find(kind => kind.name === name) as KindInfo
  const root = (typeof params === 'object' && params !== null ? params : {}) as Schema
  const words: string[] = []
  for (const [field, schema] of fieldsOf(root, root)) {
    const note = noteOf(schema, root)
    const optional = !isRequired(field, root, root)
    const choices = choicesOf(schema, root)
    const about = note.description === '' ? '' : `: ${note.description}`
    const usual = note.default === undefined ? 'may be empty' : `empty: ${JSON.stringify(note.default)}`
    const message = `${field} (${hintOf(schema, root)}${optional ? `; ${usual}` : ''})${about}`
    let answer: string
    if (choices && choices.length > 0)
      answer = await questions.choose(message, [
        ...(optional ? [{ value: LEFT_OUT, label: 'leave it out' }] : []),
        ...choices.map(choice => ({ value: String(choice), label: String(choice) })),
      ])
    else answer = await questions.text(message, { optional })
    if (answer === LEFT_OUT) continue
    words.push(`${field}=${takesUpload(schema, root) && !answer.startsWith('@') ? `@${answer}` : answer}`)
  }
  const title = await questions.text('Title (may be empty)', { optional: true })
  return ['submit', name, ...words, ...(title === '' ? [] : ['--title', title])]
}
