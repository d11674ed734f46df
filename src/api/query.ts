// Query strings -> typed values. Everything unknown, doubled or malformed is refused by name. The schemas that read
// a query are the ones that the document of the API shows.
import { z } from 'zod'
import { cutText } from '../core/cut-text.ts'
import { MadhavaError } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import { type FieldProblem, formatProblems, problemsOf } from '../core/problems.ts'

/** What a query may hold, by name: schemas that take a text, or an array of texts where it may be given often. */
export interface Query<T> {
  readonly parameters: Readonly<Record<string, z.ZodType>>
  /** @throws BAD_REQUEST naming what is not known, malformed, or given twice where once is meant */
  read(url: string): T
}

const refuse = (problems: FieldProblem[]): MadhavaError =>
  new MadhavaError('BAD_REQUEST', `The query is malformed: ${formatProblems(problems)}`, {
    detail: { problems },
  })

/** Whether a schema takes an array of texts. */
const takesMany = (schema: z.ZodType): boolean => z.toJSONSchema(schema, { io: 'input' }).type === 'array'

/** A query by its parameters; those that are given empty count as left out. */
export const defineQuery = <S extends Readonly<Record<string, z.ZodType>>>(
  shape: S,
): Query<z.output<z.ZodObject<S>>> => {
  const schema = z.object(shape)
  const names = Object.keys(shape)
  const many = new Set(names.filter(name => takesMany(shape[name] as z.ZodType)))
  const known = names.length > 0 ? `; known are ${names.join(', ')}` : ''

  const textsOf = (url: string): Map<string, string[]> => {
    const texts = new Map<string, string[]>()
    const problems = new Map<string, string>()
    for (const [name, text] of new URL(url).searchParams) {
      const path = cutText(name, 64)
      if (!names.includes(name)) problems.set(path, `is not known here${didYouMean(name, names)}${known}`)
      else if (texts.has(name) && !many.has(name)) problems.set(path, 'may be given once')
      else texts.set(name, [...(texts.get(name) ?? []), text])
    }
    if (problems.size > 0)
      throw refuse([...problems].slice(0, 20).map(([path, problem]) => ({ path, problem })))
    return texts
  }

  return {
    parameters: shape,
    read(url) {
      const given = [...textsOf(url)].filter(([, texts]) => texts.some(text => text !== ''))
      const parsed = schema.safeParse(
        Object.fromEntries(given.map(([name, texts]) => [name, many.has(name) ? texts : texts[0]])),
      )
      if (parsed.success) return parsed.data
      // the parameter alone: which of its values it is does not matter
      throw refuse(
        problemsOf(parsed.error).map(found => ({ ...found, path: found.path.split('.')[0] || 'query' })),
      )
    },
  }
}

/** A text that may be given once. */
export const textParameter = (max: number) => z.string().max(max, `may have at most ${max} characters`)

/** A switch that is off when left out. */
export const switchParameter = () =>
  z
    .enum(['1', '0'], 'must be 1 or 0')
    .optional()
    .transform(value => value === '1')
