// dead: what cannot be run, with the reasons; to run it again, to remove it.
import type { Command } from 'commander'
import type { DeadPage } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode, usage } from '../exit.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { type Cell, layTable } from '../terminal/table.ts'
import { agoText } from '../terminal/words.ts'
import { wholeNumber } from './filter-options.ts'
import { idFor } from './task-table.ts'

const PAGE = 200

const list = async (c: Console, { limit }: { limit: number }): Promise<void> => {
  const client = await c.client()
  const page: Pick<DeadPage, 'tasks' | 'messages' | 'messageCount' | 'trouble'> = {
    tasks: [],
    messages: [],
    messageCount: null,
    trouble: null,
  }
  let cursor: string | null = null
  do {
    const next: DeadPage = await client.dead({
      signal: c.signal,
      limit: Math.min(PAGE, limit),
      ...(cursor === null ? {} : { cursor }),
    })
    // messages stand on the first page alone
    if (cursor === null) Object.assign(page, { ...next, tasks: [] })
    page.tasks.push(...next.tasks)
    cursor = next.next
  } while (cursor !== null && page.tasks.length < limit)
  page.tasks.splice(limit)
  const { tasks, messages, messageCount, trouble } = page
  if (c.isJson) return c.printJson({ tasks, messages, messageCount, trouble })
  if (trouble !== null) c.tell(`The queue's own messages are not known: ${oneLine(trouble)}`)
  if (tasks.length === 0 && messages.length === 0) return c.tell('Nothing is dead.')
  const now = c.machine.clock()
  const { columns, style } = c.out
  const rows: Cell[][] = [
    ...tasks.map(({ task, reason }) => [
      idFor(task.id, columns),
      task.kind,
      { text: task.status, paint: style.yellow },
      agoText(task.updatedAt, now),
      `${reason.code}: ${reason.message}`,
    ]),
    ...messages.map(({ id, deadAt, reason }) => [
      idFor(id, columns),
      'message',
      '-',
      agoText(deadAt, now),
      reason,
    ]),
  ]
  return c.print(
    layTable(
      [
        { head: 'ID' },
        { head: 'KIND', min: 6 },
        { head: 'STATUS', drop: 1 },
        { head: 'SINCE', align: 'right', drop: 2 },
        { head: 'WHY', min: 8 },
      ],
      rows,
      columns,
      style.bold,
    ).join('\n'),
  )
}

/** The id of what is dead, by its last characters too. */
const deadId = async (c: Console, text: string): Promise<string> => {
  const wanted = text.replace(/^…|^\.\.\./, '').toLowerCase()
  if (wanted.length >= 36) return wanted
  const { tasks, messages } = await (await c.client()).dead({ signal: c.signal, limit: PAGE })
  const found = [...tasks.map(({ task }) => task.id), ...messages.map(({ id }) => id)].filter(id =>
    id.endsWith(wanted),
  )
  const [id] = found
  if (found.length !== 1 || id === undefined || wanted.length < 4)
    throw usage(`${JSON.stringify(text)} names ${found.length} of what is dead`, 'madhava dead lists it')
  return id
}

export const addDeadCommand = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  const dead = program.command('dead').description('what cannot be run, and why')
  dead
    .command('list', { isDefault: true })
    .description('list it')
    .option('-n, --limit <n>', 'how many tasks at most', wholeNumber(1, 10_000), 100)
    .action((options: { limit: number }) => list(c, options))
  dead
    .command('replay <id>')
    .description('run a dead task again, or put a message back into the queue')
    .action(async (given: string) => {
      const answer = await (await c.client()).replayDead(await deadId(c, given), { signal: c.signal })
      if (c.isJson) return c.printJson(answer)
      return c.print(
        'message' in answer ? `${answer.message} is in the queue again` : `${answer.id} ${answer.status}`,
      )
    })
  dead
    .command('discard <id>')
    .description('remove a dead task or message, all of it')
    .option('-y, --yes', 'do not ask')
    .action(async (given: string, { yes }: { yes?: boolean }) => {
      const id = await deadId(c, given)
      if (!yes) {
        if (!c.questions.canAsk()) throw usage('discard asks before it removes something: --yes')
        if (!(await c.questions.confirm(`Remove ${id} for good?`))) return exitWith(EXIT.failed)
      }
      await (await c.client()).discardDead(id, { signal: c.signal })
      if (c.isJson) return c.printJson({ id, discarded: true })
      return c.print(`${id} is removed`)
    })
}
