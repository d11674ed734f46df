// result, log, download: what a task has made and said.
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import type { Artifact, Client, LogEntry, TaskView } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { ConsoleError, EXIT, usage } from '../exit.ts'
import { lasting } from '../lasting.ts'
import { wholeId } from '../task-ids.ts'
import { manyLines, oneLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { sizeText, timeText } from '../terminal/words.ts'
import { copyBytes, intoFile } from '../transfer.ts'
import { printOutput } from './print-output.ts'
import { createByteBar } from './send-file.ts'

interface OutputOptions {
  output?: string
  force?: boolean
}

/** Downloads go on over a server that is away for so long. */
const DOWNLOAD_PATIENCE_MS = 60_000

type Open = Parameters<typeof copyBytes>[0]['open']

/** Copies to a file or, without one, to standard output. */
const copyOut = async (
  c: Console,
  open: Open,
  { file, force, what, sha256 }: { file: string | null; force: boolean; what: string; sha256?: string },
): Promise<number> => {
  const bar = file === null ? null : createByteBar(c, what)
  const common = {
    open,
    signal: c.signal,
    tell: (text: string) => {
      bar?.clear()
      c.tell(oneLine(text))
    },
    patienceMs: c.patienceMs ?? DOWNLOAD_PATIENCE_MS,
    ...(sha256 === undefined ? {} : { sha256 }),
  }
  try {
    if (file !== null)
      return await intoFile(file, force, sink =>
        copyBytes({ ...common, sink, onProgress: (bytes, total) => bar?.show(bytes, total) }),
      )
    const { write, end } = printOutput(c)
    const bytes = await copyBytes({ ...common, sink: { write, restart: null } })
    await end()
    return bytes
  } finally {
    bar?.clear()
  }
}

const result = async (c: Console, given: string, { output, force = false }: OutputOptions): Promise<void> => {
  const client = await c.client()
  const id = await wholeId(client, given, c.signal)
  const file = output === undefined || output === '-' ? null : output
  // with --json the result as a part of a document
  if (c.isJson && file === null) {
    const { text, contentType } = await client.result(id, { signal: c.signal })
    const body = await text()
    return c.printJson({
      id,
      contentType,
      result: contentType.startsWith('application/json') ? JSON.parse(body) : body,
    })
  }
  const bytes = await copyOut(c, options => client.result(id, options), {
    file,
    force,
    what: file === null ? '' : path.basename(file),
  })
  if (file === null) return
  if (c.isJson) await c.printJson({ id, file, bytes })
  else c.tell(`${file} has ${sizeText(bytes)}.`)
}

/** A line of a log for people. */
export const logLine = (entry: LogEntry, { style, now }: { style: Style; now: Date }): string => {
  if ('omitted' in entry) return style.dim(`… ${entry.omitted} lines are not kept …`)
  const { at, level, text } = entry
  const paint = level === 'error' ? style.red : level === 'warn' ? style.yellow : (one: string) => one
  const mark = level === 'info' ? '' : `${level}: `
  return `${style.dim(timeText(at, now))}  ${paint(`${mark}${manyLines(text)}`)}`
}

const log = async (c: Console, given: string, { follow }: { follow?: boolean }): Promise<void> => {
  const client = await c.client()
  const id = await wholeId(client, given, c.signal)
  const put = (entry: LogEntry): Promise<void> =>
    c.isJson ? c.printJson(entry) : c.print(logLine(entry, { style: c.out.style, now: c.machine.clock() }))
  if (!follow) {
    const { entries } = await client.logEntries(id, { signal: c.signal })
    if (c.isJson) return c.printJson(entries)
    for (const entry of entries) await put(entry)
    return
  }
  const one = await c.client({ patienceMs: 0 })
  const entries = lasting<LogEntry, TaskView | undefined>({
    open: since =>
      one.followLog(id, { signal: c.signal, ...(since === undefined ? {} : { since: Number(since) }) }),
    sinceOf: entry => String('omitted' in entry ? entry.to : entry.n),
    probe: () => one.get(id, { signal: c.signal }),
    tell: text => c.tell(oneLine(text)),
    signal: c.signal,
    patienceMs: c.patienceMs,
  })
  for (;;) {
    const { done, value } = await entries.next()
    if (!done) {
      await put(value)
      continue
    }
    if (value && !c.isJson) c.tell(`The task has ended: ${value.status}`)
    return
  }
}

/** The name of a file that a server has chosen, if it is no more than a name. @throws ConsoleError */
const plainName = (name: string): string => {
  if (name === '' || name.startsWith('.') || /[/\\\p{Cc}\p{Cf}]/u.test(name) || name.length > 200)
    throw new ConsoleError(
      EXIT.failed,
      `The name of the file ${JSON.stringify(name)} is not used as it is`,
      'download TASK NAME -o FILE gives it another one',
    )
  return name
}

const isFolder = (file: string): Promise<boolean> =>
  stat(file).then(
    info => info.isDirectory(),
    () => false,
  )

const download = async (
  c: Console,
  given: string,
  name: string | undefined,
  { output, force = false }: OutputOptions,
): Promise<void> => {
  const client: Client = await c.client()
  const id = await wholeId(client, given, c.signal)
  const artifacts = await client.artifacts(id, { signal: c.signal })
  const wanted = name === undefined ? artifacts : artifacts.filter(one => one.name === name)
  if (wanted.length === 0)
    throw new ConsoleError(
      EXIT.notFound,
      name === undefined ? 'The task has made no files' : `The task has no file ${name}`,
      artifacts.length > 0 ? artifacts.map(one => one.name).join(', ') : null,
    )
  const toStdout = output === '-'
  const folder = output !== undefined && !toStdout && (await isFolder(output)) ? output : null
  if (wanted.length > 1 && output !== undefined && folder === null)
    throw usage(`The task has made ${wanted.length} files: -o names a folder, or name one of them`)
  const fileOf = (artifact: Artifact): string | null => {
    if (toStdout) return null
    if (output !== undefined && folder === null) return output
    return path.join(folder ?? '.', plainName(artifact.name))
  }
  const made: { name: string; file: string | null; bytes: number; sha256: string }[] = []
  for (const artifact of wanted) {
    const file = fileOf(artifact)
    const bytes = await copyOut(c, options => client.artifact(id, artifact.name, options), {
      file,
      force,
      what: artifact.name,
      sha256: artifact.sha256,
    })
    made.push({ name: artifact.name, file, bytes, sha256: artifact.sha256 })
    if (!c.isJson && file !== null) await c.print(file)
  }
  if (c.isJson && !toStdout) await c.printJson(made)
}

export const addReadCommands = (program: Command, c: Console): void => {
  program
    .command('result <id>')
    .description('the result of a task, whole, on standard output or in a file')
    .option('-o, --output <file>', 'a file, which appears whole or not at all')
    .option('-f, --force', 'replace a file that is there')
    .action((id: string, options: OutputOptions) => result(c, id, options))
  program
    .command('log <id>')
    .description("a task's own log")
    .option('-f, --follow', 'go on with the lines that come, up to the end of the task')
    .action((id: string, options: { follow?: boolean }) => log(c, id, options))
  program
    .command('download <task> [name]')
    .description('the files that a task has made, or one of them')
    .option('-o, --output <file>', 'a file, a folder, or - for standard output')
    .option('-f, --force', 'replace a file that is there')
    .action((task: string, name: string | undefined, options: OutputOptions) =>
      download(c, task, name, options),
    )
}
