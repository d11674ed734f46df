// kinds: what the server can compute, and what a kind asks for.
import type { Command } from 'commander'
import type { KindInfo } from '../../client/client.ts'
import type { Console } from '../console.ts'
import {
  choicesOf,
  fieldsOf,
  isRequired,
  noteOf,
  type Schema,
  takesUpload,
  typesOf,
} from '../params/schema.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { layTable } from '../terminal/table.ts'
import { kindNamed } from './submit.ts'

const asSchema = (value: unknown): Schema =>
  typeof value === 'object' && value !== null ? (value as Schema) : {}

const typeText = (field: Schema, root: Schema): string => {
  if (takesUpload(field, root)) return 'file'
  const choices = choicesOf(field, root)
  if (choices) return choices.map(String).join(' | ')
  const types = typesOf(field, root)
  return types.size === 0 ? 'any' : [...types].join(' | ')
}

const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** How the kind's example is submitted. */
export const exampleLine = ({ name, example, params }: KindInfo): string => {
  const root = asSchema(params)
  const fields = fieldsOf(root, root)
  if (typeof example !== 'object' || example === null || Array.isArray(example))
    return `echo ${quoted(JSON.stringify(example ?? null))} | madhava submit ${name} --params -`
  const words = Object.entries(example).map(([field, value]) => {
    if (takesUpload(fields.get(field), root)) return quoted(`${field}=@FILE`)
    const isText = typeof value === 'string' && typesOf(fields.get(field), root).has('string')
    return quoted(
      isText || typeof value === 'number' || typeof value === 'boolean'
        ? `${field}=${value}`
        : `${field}:=${JSON.stringify(value)}`,
    )
  })
  return ['madhava', 'submit', name, ...words].join(' ')
}

const kindLines = (kind: KindInfo, columns: number, { bold, dim }: Console['out']['style']): string[] => {
  const root = asSchema(kind.params)
  const fields = [...fieldsOf(root, root)]
  const { softSeconds, hardSeconds } = kind.limits
  const limits = [
    softSeconds === null ? '' : `asked to end after ${softSeconds} s`,
    hardSeconds === null ? '' : `ended after ${hardSeconds} s`,
    kind.maxAttempts > 1 ? `${kind.maxAttempts} attempts` : '',
    kind.maxConcurrency === null ? '' : `${kind.maxConcurrency} at a time`,
    kind.rate === null ? '' : kind.rate,
  ].filter(Boolean)
  return [
    `${bold(oneLine(kind.name))}  ${oneLine(kind.summary)}`,
    ...(limits.length > 0 ? [dim(limits.join(', '))] : []),
    '',
    ...(fields.length === 0
      ? [`params: ${typeText(root, root)}`]
      : layTable(
          [
            { head: 'PARAM' },
            { head: 'TYPE', min: 8 },
            { head: 'DEFAULT', min: 7, drop: 2 },
            { head: 'MEANING', min: 10, drop: 1 },
          ],
          fields.map(([name, field]) => {
            const note = noteOf(field, root)
            return [
              isRequired(name, root, root) ? name : `[${name}]`,
              typeText(field, root),
              note.default === undefined ? '' : JSON.stringify(note.default),
              note.description,
            ]
          }),
          columns,
          bold,
        )),
    '',
    dim('Example:'),
    `  ${oneLine(exampleLine(kind))}`,
  ]
}

export const addKindsCommand = (program: Command, c: Console): void => {
  program
    .command('kinds [name]')
    .description('what the server can compute; with a name what that kind asks for')
    .action(async (name: string | undefined) => {
      const client = await c.client()
      if (name !== undefined) {
        const kind = await kindNamed(client, name, c.signal)
        if (c.isJson) return c.printJson(kind)
        return c.print(kindLines(kind, c.out.columns, c.out.style).join('\n'))
      }
      const kinds = await client.kinds({ signal: c.signal })
      if (c.isJson) return c.printJson(kinds)
      const troubles = await client.kindTroubles({ signal: c.signal })
      await c.print(
        layTable(
          [{ head: 'KIND' }, { head: 'SUMMARY', min: 10 }],
          kinds.map(kind => [kind.name, kind.summary]),
          c.out.columns,
          c.out.style.bold,
        ).join('\n'),
      )
      for (const { name: bad, reason } of troubles)
        c.tell(`${c.err.style.yellow(oneLine(bad))} cannot be used: ${oneLine(reason)}`)
    })
}
