// tasks, task, why, cancel, retry, purge.
import type { Command } from 'commander'
import type { Client, Sort, Task } from '../../client/client.ts'
import { isTemporary } from '../../client/errors.ts'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode, exitOf, usage } from '../exit.ts'
import { errorJson, errorText } from '../said-error.ts'
import { showTask } from '../show-task.ts'
import { wholeId } from '../task-ids.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { durationText, timeText } from '../terminal/words.ts'
import { addFilterOptions, type FilterOptions, filterOf, SORTS, wholeNumber } from './filter-options.ts'
import { endOfTask } from './submit.ts'
import { taskFacts, taskTable } from './task-table.ts'

interface TasksOptions extends FilterOptions {
  limit: number
  all?: boolean
  sort?: string
  why?: boolean
  mine?: boolean
}

const PAGE = 200
const USUAL = 25

const listTasks = async (c: Console, options: TasksOptions): Promise<void> => {
  const sort = SORTS.find(one => one === options.sort) as Sort | undefined
  if (options.sort !== undefined && !sort) throw usage(`--sort is one of ${SORTS.join(', ')}`)
  const client = await c.client()
  const me = options.mine ? await client.me({ signal: c.signal }) : null
  if (me && !me.account) throw usage('--mine needs a login', 'madhava login')
  const filter = {
    ...filterOf(options, c.machine.clock()),
    ...(me?.account ? { owner: me.account.id } : {}),
  }
  const common = { why: options.why === true, signal: c.signal, ...(sort ? { sort } : {}) }
  if (options.all) {
    // page by page, so that any number fits the memory
    let cursor: string | null = null
    let isFirst = true
    do {
      const page: Awaited<ReturnType<Client['list']>> = await client.list(filter, {
        ...common,
        limit: PAGE,
        ...(cursor === null ? {} : { cursor }),
      })
      if (c.isJson) for (const task of page.tasks) await c.printJson(task)
      else {
        const [head = '', ...lines] = taskTable(c, page.tasks)
        if (isFirst) await c.print(head)
        if (lines.length > 0) await c.print(lines.join('\n'))
      }
      isFirst = false
      cursor = page.next
    } while (cursor !== null)
    return
  }
  const page = await client.list(filter, { ...common, limit: options.limit })
  if (c.isJson) return c.printJson(page)
  if (page.tasks.length === 0) return c.tell('No task fits.')
  await c.print(taskTable(c, page.tasks).join('\n'))
  if (page.next !== null && c.out.isTerminal) c.tell(c.err.style.dim('There are more: --all, or --limit N'))
}

/** Does it to each, and goes on after one that fails. @throws the first error's exit, after all were told */
export const forEach = async (
  c: Console,
  ids: readonly string[],
  act: (client: Client, id: string) => Promise<{ told: string; json: unknown }>,
): Promise<ExitCode> => {
  const client = await c.client()
  let worst: ExitCode = EXIT.ok
  for (const given of ids)
    try {
      const { told, json } = await act(client, await wholeId(client, given, c.signal))
      if (c.isJson) await c.printJson(json)
      else await c.print(told)
    } catch (error) {
      if (c.signal.aborted || isTemporary(error) || ids.length === 1) throw error
      if (worst === EXIT.ok) worst = exitOf(error)
      c.err.write(c.isJson ? errorJson(error) : errorText(error, c.err.style)).catch(() => {})
    }
  return worst
}

const showOne = async (c: Console, given: string, { watch }: { watch?: boolean }): Promise<void> => {
  const client = await c.client()
  const id = await wholeId(client, given, c.signal)
  if (watch) return endOfTask(c, client, await showTask(c, client, id))
  const task = await client.get(id, { signal: c.signal })
  if (c.isJson) return c.printJson(task)
  return c.print(taskFacts(task, { style: c.out.style, now: c.machine.clock() }).join('\n'))
}

const why = async (c: Console, given: string): Promise<void> => {
  const client = await c.client()
  const id = await wholeId(client, given, c.signal)
  const waiting = await client.why(id, { signal: c.signal })
  if (c.isJson) return c.printJson(waiting)
  const { reason, detail, since, startsIn } = waiting
  await c.print(
    [
      `${c.out.style.bold(oneLine(reason))}  ${oneLine(detail)}`,
      `since ${timeText(since, c.machine.clock())}`,
      ...(startsIn === null
        ? []
        : [
            `begins in about ${durationText(startsIn.p50)}, nine of ten within ${durationText(startsIn.p90)}`,
          ]),
    ].join('\n'),
  )
}

const toldOfTask = (task: Task): string => `${task.id} ${task.status}`

export const addTaskCommands = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  addFilterOptions(program.command('tasks').alias('ls').description('list tasks, the newest first'))
    .option('-n, --limit <n>', 'how many at most', wholeNumber(1, PAGE), USUAL)
    .option('-a, --all', 'all of them, page by page; with --json one on each line')
    .option('--sort <order>', SORTS.join(', '))
    .option('--why', 'say of those that wait why they wait')
    .option('--mine', 'those of your account alone')
    .action((options: TasksOptions) => listTasks(c, options))
  program
    .command('task <id>')
    .description('everything about a task; the last characters of its id are enough')
    .option('-w, --watch', 'show it until it ends, then its result')
    .action((id: string, options: { watch?: boolean }) => showOne(c, id, options))
  program
    .command('why <id>')
    .description('why a task waits, and when it is likely to begin')
    .action((id: string) => why(c, id))
  program
    .command('cancel <ids...>')
    .description('cancel tasks')
    .action(async (ids: string[]) =>
      exitWith(
        await forEach(c, ids, async (client, id) => {
          const json = await client.cancel(id, { signal: c.signal })
          return { json, told: `${id} ${json.outcome === 'revoked' ? 'REVOKED' : 'is told to end'}` }
        }),
      ),
    )
  program
    .command('retry <ids...>')
    .description('run ended tasks again')
    .action(async (ids: string[]) =>
      exitWith(
        await forEach(c, ids, async (client, id) => {
          const json = await client.retry(id, { signal: c.signal })
          return { json, told: toldOfTask(json) }
        }),
      ),
    )
  program
    .command('purge <ids...>')
    .description('remove ended tasks with all that belongs to them')
    .option('-y, --yes', 'do not ask')
    .action(async (ids: string[], { yes }: { yes?: boolean }) => {
      if (!yes) {
        if (!c.questions.canAsk()) throw usage('purge asks before it removes something: --yes')
        const many = ids.length === 1 ? `the task ${ids[0]}` : `${ids.length} tasks`
        if (!(await c.questions.confirm(`Remove ${many} for good?`))) return exitWith(EXIT.failed)
      }
      exitWith(
        await forEach(c, ids, async (client, id) => {
          await client.purge(id, { signal: c.signal })
          return { json: { id, purged: true }, told: `${id} is removed` }
        }),
      )
    })
}
