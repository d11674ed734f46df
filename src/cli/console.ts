// What every command of the console has at hand: where it writes, whom it asks, which server it works with.
import { type Client, createClient } from '../client/client.ts'
import { VERSION } from '../platform/version.ts'
import { visibleJson } from '../platform/visible.ts'
import type { Machine } from './environment.ts'
import type { Interrupts } from './interrupts.ts'
import type { Questions } from './questions.ts'
import { type ChosenServer, chooseServer } from './settings/choose-server.ts'
import type { SettingsFile } from './settings/settings-file.ts'
import type { Screen } from './terminal/screen.ts'

/** The options of every command. */
export interface CommonOptions {
  server?: string
  json?: boolean
  /** Commander's form of `--no-color`. */
  color?: boolean
  /** Seconds. */
  patience?: number
}

export interface Console {
  readonly machine: Machine
  readonly out: Screen
  readonly err: Screen
  readonly settings: SettingsFile
  readonly questions: Questions
  readonly interrupts: Interrupts
  /** Fires when the command is to end. */
  readonly signal: AbortSignal
  readonly isJson: boolean
  /** The command was typed at the console's own prompt. */
  readonly isShell: boolean
  /** How long a server may be away, milliseconds; null: nobody has said. */
  readonly patienceMs: number | null
  /** The server that is asked. @throws ConsoleError */
  server(): Promise<ChosenServer>
  /** Of that server, with its key. @throws ConsoleError */
  client(options?: { patienceMs?: number; timeoutMs?: number }): Promise<Client>
  clientOf(
    server: Pick<ChosenServer, 'url' | 'key'>,
    options?: { patienceMs?: number; timeoutMs?: number },
  ): Client
  /** Runs what reads the terminal by itself, while nothing else does. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** A line, or several, on standard output. */
  print(text: string): Promise<void>
  /** One JSON document on a line of its own. */
  printJson(value: unknown): Promise<void>
  /** A line for people on standard error; nothing with `--json`. */
  tell(text: string): void
}

/** A server that does not answer is told of after this. */
export const PATIENCE_MS = 2_000

export interface ConsoleDeps {
  machine: Machine
  out: Screen
  err: Screen
  settings: SettingsFile
  questions: Questions
  interrupts: Interrupts
  isShell: boolean
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Of the command line, once it is read. */
  options(): CommonOptions
}

export const createConsole = ({ options, ...parts }: ConsoleDeps): Console => {
  const { machine, out, err, settings, interrupts } = parts
  const patienceMs = (): number | null => {
    const { patience } = options()
    return patience === undefined ? null : patience * 1000
  }
  const server = async (): Promise<ChosenServer> =>
    chooseServer(await settings.read(), options().server, machine.env)
  const clientOf: Console['clientOf'] = ({ url, key }, more = {}) =>
    createClient({
      baseUrl: url,
      headers: { 'user-agent': `madhava-console/${VERSION}` },
      patienceMs: patienceMs() ?? PATIENCE_MS,
      ...(key === null ? {} : { key }),
      ...more,
    })
  return {
    ...parts,
    signal: interrupts.signal,
    get isJson() {
      return options().json === true
    },
    get patienceMs() {
      return patienceMs()
    },
    server,
    clientOf,
    client: async more => clientOf(await server(), more),
    print: text => out.write(text.endsWith('\n') ? text : `${text}\n`),
    printJson: value => out.write(`${visibleJson(JSON.stringify(value))}\n`),
    tell(text) {
      // what cannot be told is no reason to end
      if (options().json !== true) err.write(`${text}\n`).catch(() => {})
    },
  }
}
