// todo: the shared list of things that people do. Its items are tasks, so `task`, `why`, `retry` and `cancel` take them too.
import type { Command } from 'commander'
import type { Client, NewTodo, TaskView } from '../../client/client.ts'
import { assigneeOf, doneOf } from '../../client/task.ts'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode, usage } from '../exit.ts'
import { wholeId } from '../task-ids.ts'
import { paintOf } from '../terminal/style.ts'
import { type Column, layTable } from '../terminal/table.ts'
import { agoText } from '../terminal/words.ts'
import { wholeNumber } from './filter-options.ts'
import { idFor } from './task-table.ts'
import { forEach } from './tasks.ts'

const COLUMNS: readonly Column[] = [
  { head: 'ID' },
  { head: 'TO DO', min: 10 },
  { head: 'FOR', min: 4, drop: 2 },
]
const OPEN: Column = { head: 'AGE', align: 'right', drop: 1 }
const ENDED: readonly Column[] = [
  { head: 'STATUS', drop: 4 },
  { head: 'BY', min: 4, drop: 1 },
  { head: 'NOTE', min: 6, drop: 3 },
]

const tableOf = (c: Console, items: readonly TaskView[], ended: boolean): string => {
  const { columns, style } = c.out
  const now = c.machine.clock()
  const rows = items.map(item => {
    const done = doneOf(item)
    return [
      idFor(item.id, columns),
      item.title ?? '',
      assigneeOf(item) ?? '',
      agoText(ended ? (item.finishedAt ?? item.updatedAt) : item.createdAt, now),
      ...(ended
        ? [{ text: item.status, paint: paintOf(style, item.status) }, done?.by ?? '', done?.note ?? '']
        : []),
    ]
  })
  return layTable([...COLUMNS, OPEN, ...(ended ? ENDED : [])], rows, columns, style.bold).join('\n')
}

interface ListOptions {
  done?: boolean
  q?: string
  limit: number
}

const list = async (c: Console, { done = false, q, limit }: ListOptions): Promise<void> => {
  const items: TaskView[] = []
  const found = (await c.client()).todo.list({
    ended: done,
    signal: c.signal,
    ...(q === undefined ? {} : { q }),
  })
  for await (const item of found) {
    items.push(item)
    if (items.length === limit) break
  }
  if (c.isJson) return c.printJson({ items })
  if (items.length === 0) return c.tell(done ? 'Nothing has been done.' : 'Nothing is to be done.')
  return c.print(tableOf(c, items, done))
}

interface ItemOptions {
  title?: string
  description?: string
  for?: string
}

/** An empty text takes away what stands there. */
const changeOf = ({ title, description, for: assignee }: ItemOptions): Partial<NewTodo> => ({
  ...(title === undefined ? {} : { title }),
  ...(description === undefined ? {} : { description: description === '' ? null : description }),
  ...(assignee === undefined ? {} : { assignee: assignee === '' ? null : assignee }),
})

const edit = async (c: Console, given: string, options: ItemOptions): Promise<void> => {
  const change = changeOf(options)
  if (Object.keys(change).length === 0) throw usage('Say what changes: --title, --description or --for')
  const client = await c.client()
  const known = await client.get(await wholeId(client, given, c.signal), { signal: c.signal })
  const item = await client.todo.edit(known, change, { signal: c.signal })
  return c.isJson ? c.printJson(item) : c.print(`${item.id} ${item.status}`)
}

export const addTodoCommand = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  const todo = program.command('todo').description('the shared list: what people do, and no worker')
  const each = async (
    ids: readonly string[],
    act: (client: Client, id: string) => Promise<{ told: string; json: unknown }>,
  ): Promise<void> => exitWith(await forEach(c, ids, act))
  todo
    .command('list', { isDefault: true })
    .description('what is open, the newest first')
    .option('--done', 'what is done or cancelled')
    .option('-q <text>', 'those whose title, description or id has this text')
    .option('-n, --limit <n>', 'how many at most', wholeNumber(1, 10_000), 100)
    .action((options: ListOptions) => list(c, options))
  todo
    .command('add <title...>')
    .description('add one; the words are its title')
    .option('-d, --description <text>', 'more about it')
    .option('--for <name>', 'who it is for')
    .action(async (words: string[], options: ItemOptions) => {
      const item = { title: words.join(' '), ...changeOf(options) }
      const made = await (await c.client()).todo.add(item, { signal: c.signal })
      return c.isJson ? c.printJson(made) : c.print(made.id)
    })
  todo
    .command('done <ids...>')
    .description('complete some')
    .option('-m, --note <text>', 'what is to be known about it')
    .action((ids: string[], { note = null }: { note?: string | null }) =>
      each(ids, async (client, id) => {
        const json = await client.todo.complete(id, { note, signal: c.signal })
        return { json, told: `${id} ${json.status}` }
      }),
    )
  todo
    .command('edit <id>')
    .description('change one that is open; an empty text takes away what stands there')
    .option('--title <text>')
    .option('-d, --description <text>')
    .option('--for <name>')
    .action((id: string, options: ItemOptions) => edit(c, id, options))
  todo
    .command('reopen <ids...>')
    .description('open again what has ended')
    .action((ids: string[]) =>
      each(ids, async (client, id) => {
        const json = await client.todo.reopen(id, { signal: c.signal })
        return { json, told: `${id} ${json.status}` }
      }),
    )
  todo
    .command('rm <ids...>')
    .description('remove some, open or not')
    .option('-y, --yes', 'do not ask')
    .action(async (ids: string[], { yes }: { yes?: boolean }) => {
      if (!yes) {
        if (!c.questions.canAsk()) throw usage('rm asks before it removes something: --yes')
        if (
          !(await c.questions.confirm(
            `Remove ${ids.length === 1 ? ids[0] : `${ids.length} items`} for good?`,
          ))
        )
          return exitWith(EXIT.failed)
      }
      return each(ids, async (client, id) => {
        await client.todo.remove(id, { signal: c.signal })
        return { json: { id, removed: true }, told: `${id} is removed` }
      })
    })
}
