// kind: for those who write kinds. `new` writes one with its test, `check` says what is wrong with a folder of them, and
// with a server which of its tasks no longer fit.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import type { FolderReport } from '../../authoring/check-folder.ts'
import type { Misfit, WaitingReport, WaitingTask } from '../../authoring/check-waiting.ts'
import { type Client, TODO_KIND } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { EXIT, type ExitCode, usage } from '../exit.ts'
import { fieldsOf, isRequired, type Schema } from '../params/schema.ts'
import { chooseServer } from '../settings/choose-server.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { layTable } from '../terminal/table.ts'

const DEFAULT_FOLDER = 'kinds'
/** A worker may still run them: those that run, when they are tried again. */
const OPEN = ['PENDING', 'RETRY', 'STARTED', 'PROGRESS'] as const

const writeNew = async (
  c: Console,
  name: string,
  { lang, dir }: { lang: string; dir: string },
): Promise<void> => {
  const { writeNewKind } = await import('../../authoring/new-kind.ts')
  const made = await writeNewKind({
    name,
    language: lang,
    folder: dir,
    cwd: process.cwd(),
    builtIn: c.machine.env.BUILT_IN_KINDS,
  }).catch((error: unknown) => {
    throw usage(error instanceof Error ? error.message : String(error))
  })
  if (c.isJson) return c.printJson(made)
  const { bold } = c.out.style
  const [kind, test] = made.files.map(oneLine)
  await c.print(
    [
      `${bold(kind ?? '')} is the kind ${made.name}, ${bold(test ?? '')} its test.`,
      ...made.needs.map(need => `The test needs ${oneLine(need)}`),
      `Test it:  ${oneLine(made.test)}`,
      `Run it:   npx madhava start --kinds ${oneLine(path.dirname(made.files[0]))}`,
    ].join('\n'),
  )
}

const paramsOf = (params: unknown): string => {
  const root = (typeof params === 'object' && params !== null ? params : {}) as Schema
  return [...fieldsOf(root, root).keys()]
    .map(name => (isRequired(name, root, root) ? name : `[${name}]`))
    .join(', ')
}

const reportText = (c: Console, { folder, kinds, troubles, warnings }: FolderReport): string => {
  const { red, yellow, bold } = c.out.style
  const shown = path.relative(process.cwd(), folder) || '.'
  const lines = [
    ...(kinds.length === 0
      ? [`${oneLine(shown)} has no kind that can be used.`]
      : layTable(
          [
            { head: 'KIND' },
            { head: 'FILE', drop: 2 },
            { head: 'PARAMS', min: 8, drop: 1 },
            { head: 'SUMMARY', min: 10 },
          ],
          kinds.map(kind => [kind.name, kind.file, paramsOf(kind.params), kind.summary]),
          c.out.columns,
          bold,
        )),
    ...troubles.map(({ file, reason }) => `${red('wrong')}    ${oneLine(file)}: ${oneLine(reason)}`),
    ...warnings.map(({ file, reason }) => `${yellow('warning')}  ${oneLine(file)}: ${oneLine(reason)}`),
  ]
  return lines.join('\n')
}

/** Those that a worker may run, page by page, whole. */
async function* openTasks(client: Client, signal: AbortSignal): AsyncGenerator<WaitingTask, void, void> {
  for await (const task of client.all({ status: OPEN }, { signal, sort: 'createdAt' })) {
    if (task.kind === TODO_KIND) continue
    if (!task.paramsTruncated) {
      yield task
      continue
    }
    // it may have ended and been removed meanwhile
    const whole = await client.get(task.id, { signal }).catch((error: unknown) => {
      if ((error as { status?: unknown }).status === 404) return null
      throw error
    })
    if (whole) yield whole
  }
}

const misfitText = (c: Console, { id, kind, status, reason }: Misfit): string =>
  `${c.out.style.red('unfit')}    ${id}  ${oneLine(kind)}  ${status}  ${oneLine(reason)}`

const waitingText = ({ tasks, unfit, vanished }: WaitingReport, url: string): string => {
  const count = (n: number): string => (n === 1 ? '1 task' : `${n} tasks`)
  const gone = vanished.map(
    ({ kind, tasks: n, reason }) => `${count(n)} of the kind ${oneLine(kind)} could not be run: ${reason}`,
  )
  const verdict = unfit === 0 ? 'the params of all fit' : `the params of ${unfit} no longer fit`
  return [...gone, `${url}: ${count(tasks)} may still run, ${verdict}.`].join('\n')
}

const check = async (
  c: Console,
  given: string | undefined,
  { url }: { url?: string },
  command: Command,
  exitWith: (code: ExitCode) => void,
): Promise<void> => {
  const folder = path.resolve(given ?? (c.machine.env.KINDS_DIR || DEFAULT_FOLDER))
  const found = await stat(folder).catch(() => null)
  if (!found?.isDirectory())
    throw usage(
      `There is no folder ${folder}`,
      given === undefined ? 'madhava kind check DIR names another' : null,
    )
  const named = command.optsWithGlobals<{ server?: string }>().server
  if (url !== undefined && named !== undefined) throw usage('Name one server: by --url or by --server')
  const wanted = url ?? named
  const server = wanted === undefined ? null : chooseServer(await c.settings.read(), wanted, c.machine.env)
  const [{ createKindChecker }, { checkFolder }, { checkWaiting }] = await Promise.all([
    import('../../authoring/checker.ts'),
    import('../../authoring/check-folder.ts'),
    import('../../authoring/check-waiting.ts'),
  ])
  const checker = createKindChecker()
  const stop = (): void => checker.close()
  c.signal.addEventListener('abort', stop)
  try {
    const report = await checkFolder(folder, { checker, builtIn: c.machine.env.BUILT_IN_KINDS }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.syscall === undefined) throw error
        throw usage(`The folder ${folder} cannot be read (${error.code})`)
      },
    )
    if (!c.isJson) await c.print(reportText(c, report))
    let waiting: WaitingReport | null = null
    if (server) {
      const client = c.clientOf(server)
      waiting = await checkWaiting(openTasks(client, c.signal), {
        report,
        checker,
        ...(c.isJson ? {} : { onMisfit: misfit => c.print(misfitText(c, misfit)) }),
      })
      if (!c.isJson) await c.print(waitingText(waiting, server.url))
    }
    if (c.isJson) {
      const { builtIn: _, ...told } = report
      await c.printJson({ ...told, waiting })
    }
    const isFine =
      report.troubles.length === 0 &&
      (waiting === null || (waiting.unfit === 0 && waiting.vanished.length === 0))
    if (!isFine) exitWith(EXIT.failed)
  } finally {
    c.signal.removeEventListener('abort', stop)
    checker.close()
  }
}

export const addKindCommand = (program: Command, c: Console, exitWith: (code: ExitCode) => void): void => {
  const kind = program.command('kind').description('write kinds of your own, and check them')
  kind
    .command('new <name>')
    .description('write a kind with its test; nothing that is there is changed')
    .option('--lang <language>', 'typescript, javascript, python or shell', 'typescript')
    .option('--dir <folder>', 'the folder of kinds', DEFAULT_FOLDER)
    .action((name: string, options: { lang: string; dir: string }) => writeNew(c, name, options))
  kind
    .command('check [dir]')
    .description(
      'say what is wrong with a folder of kinds, and with --url or --server which tasks that wait there no longer fit',
    )
    .option('--url <url>', 'the address of a server whose tasks are read')
    .action((dir: string | undefined, options: { url?: string }, command: Command) =>
      check(c, dir, options, command, exitWith),
    )
}
