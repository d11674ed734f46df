// submit: params with the types that the kind's schema asks for, files sent on the way, and on request the task watched
// to its end.
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { Client, Json, KindInfo, Submission, Task } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { ConsoleError, EXIT, usage } from '../exit.ts'
import { readJson } from '../params/json-text.ts'
import { placeUpload, readParams } from '../params/read-params.ts'
import { showTask } from '../show-task.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { readTime } from '../terminal/words.ts'
import { copyBytes } from '../transfer.ts'
import { seconds, wholeNumber } from './filter-options.ts'
import { printOutput } from './print-output.ts'
import { readAll } from './read-input.ts'
import { sendFile } from './send-file.ts'

interface SubmitOptions {
  watch?: boolean
  params?: string
  title?: string
  description?: string
  priority?: number
  notBefore?: string
  expiresAt?: string
  maxAttempts?: number
  softSeconds?: number
  hardSeconds?: number
  key?: string
}

const timeAhead = (c: Console, name: string, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const time = readTime(text, c.machine.clock(), 'ahead')
  if (time === null)
    throw usage(
      `--${name} is a time as 2026-01-31T12:00Z, or from now on as 90s, 15m, 2h, 7d, not ${JSON.stringify(text)}`,
    )
  return time
}

const baseParams = async (c: Console, file: string | undefined): Promise<Json | null> => {
  if (file === undefined) return null
  const text =
    file === '-'
      ? await readAll(c)
      : await readFile(file, 'utf8').catch((error: Error) => {
          throw usage(`--params: ${error.message}`)
        })
  return readJson(text, '--params')
}

export const kindNamed = async (client: Client, name: string, signal: AbortSignal): Promise<KindInfo> => {
  const kinds = await client.kinds({ signal })
  const found = kinds.find(kind => kind.name === name)
  if (found) return found
  const trouble = (await client.kindTroubles({ signal })).find(kind => kind.name === name)
  throw new ConsoleError(
    EXIT.notFound,
    trouble ? `The kind ${name} cannot be used: ${trouble.reason}` : `There is no kind ${name}`,
    'madhava kinds lists the kinds',
  )
}

/** What a task that was watched leaves: its result on standard output, or the error. @throws ConsoleError */
export const endOfTask = async (c: Console, client: Client, task: Task): Promise<void> => {
  if (task.status === 'SUCCESS') {
    if (c.isJson) return
    const { write, end } = printOutput(c)
    await copyBytes({
      open: options => client.result(task.id, options),
      sink: { write, restart: null },
      signal: c.signal,
      tell: text => c.tell(oneLine(text)),
      patienceMs: c.patienceMs ?? 60_000,
    })
    return end()
  }
  const { style } = c.err
  const why = task.error ? `: ${task.error.code}: ${task.error.message}` : ''
  throw new ConsoleError(
    EXIT.failed,
    task.status === 'REVOKED' ? `The task ${task.id} was cancelled` : `The task ${task.id} has failed${why}`,
    task.status === 'FAILURE' ? style.dim(`madhava log ${task.id} shows what it said`) : null,
  )
}

/** Sends the files that the words name, and puts them into the params. */
const withFiles = async (
  c: Console,
  client: Client,
  { params, files }: ReturnType<typeof readParams>,
): Promise<Json> => {
  for (const { path, file } of files) {
    const { id } = await sendFile(c, client, file)
    placeUpload(params, path, id)
  }
  return params
}

const submit = async (c: Console, name: string, words: string[], options: SubmitOptions): Promise<void> => {
  const client = await c.client()
  const kind = await kindNamed(client, name, c.signal)
  const read = readParams(words, kind.params, await baseParams(c, options.params))
  const [notBefore, expiresAt] = [
    timeAhead(c, 'not-before', options.notBefore),
    timeAhead(c, 'expires-at', options.expiresAt),
  ]
  const { title, description, priority, maxAttempts, softSeconds, hardSeconds } = options
  const limits = {
    ...(softSeconds === undefined ? {} : { softSeconds }),
    ...(hardSeconds === undefined ? {} : { hardSeconds }),
  }
  const submission: Submission = {
    kind: name,
    params: await withFiles(c, client, read),
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(priority === undefined ? {} : { priority }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
  }
  const task = await client.submit(submission, {
    signal: c.signal,
    ...(options.key === undefined ? {} : { idempotencyKey: options.key }),
  })
  if (!options.watch) {
    if (c.isJson) return c.printJson(task)
    if (c.out.isTerminal) c.tell(`${name} was submitted:`)
    return c.print(task.id)
  }
  if (!c.isJson) c.tell(`${name} was submitted: ${task.id}`)
  await endOfTask(c, client, await showTask(c, client, task.id))
}

const idempotencyKey = (text: string): string => {
  if (!/^[\x21-\x7e]{1,255}$/.test(text))
    throw new InvalidArgumentError('It has 1 to 255 visible ASCII characters.')
  return text
}

export const addSubmitCommand = (program: Command, c: Console): void => {
  program
    .command('submit <kind> [params...]')
    .description('submit a task: params as digits=1000, sizes:=[[64,64]] (JSON), image=@photo.jpg (a file)')
    .option('-w, --watch', 'show it until it ends, then its result; the exit code tells how it ended')
    .option(
      '-p, --params <file>',
      'JSON of the params; - is standard input; words on the command line change them',
    )
    .option('-t, --title <text>', 'for people')
    .option('--description <text>', 'for people')
    .option('--priority <n>', '0 to 9, 9 runs first', wholeNumber(0, 9))
    .option('--not-before <time>', 'not before then: a time, or from now on as 90s, 15m, 2h, 7d')
    .option('--expires-at <time>', 'fails if it has not begun by then')
    .option('--max-attempts <n>', 'how often it is tried', wholeNumber(1, 1000))
    .option('--soft-seconds <s>', 'after so long an attempt is asked to end', seconds)
    .option('--hard-seconds <s>', 'after so long an attempt is ended', seconds)
    .option('--key <text>', 'idempotency key: the same submit again finds the first task', idempotencyKey)
    .addHelpText(
      'after',
      "\nExamples:\n  madhava submit calcpi digits=1000 --watch\n  madhava submit thumbnails image=@photo.jpg 'sizes:=[[64,64]]'\n  id=$(madhava submit sleep seconds=5)",
    )
    .action((kind: string, words: string[], options: SubmitOptions) => submit(c, kind, words, options))
}
