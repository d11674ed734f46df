// login, logout, register, whoami: a key of its own for this machine, which a logout revokes.
import type { Command } from 'commander'
import { ApiError } from '../../client/errors.ts'
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'
import { type ChosenServer, isOpenToOthers } from '../settings/choose-server.ts'
import { hasSecret } from '../shell/history.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { layTable } from '../terminal/table.ts'
import { wholeNumber } from './filter-options.ts'
import { readLines } from './read-input.ts'
import { keep, keyOfSession, meNow, revoke } from './session-key.ts'

interface LoginOptions {
  passwordStdin?: boolean
  keyStdin?: boolean
  key?: boolean
  days?: number
}

const warnOfNetwork = (c: Console, url: string): void => {
  if (isOpenToOthers(url))
    c.err
      .write(
        `${c.err.style.yellow('Warning:')} ${url} is no https: whoever is on the way can read the password and the key.\n`,
      )
      .catch(() => {})
}

const told = async (
  c: Console,
  server: ChosenServer,
  name: string,
  account: string | null,
): Promise<void> => {
  if (c.isJson) await c.printJson({ server: name, url: server.url, account })
  else
    await c.print(`Logged in at ${name} (${server.url})${account === null ? '' : ` as ${oneLine(account)}`}.`)
  if (server.keyFrom === 'environment') c.tell('MADHAVA_KEY is set: commands go on to use that key.')
}

const login = async (c: Console, wantedName: string | undefined, options: LoginOptions): Promise<void> => {
  // the list of processes and the shell's history show what stands on a command line
  if (wantedName !== undefined && hasSecret(wantedName))
    throw usage('A key never stands on the command line: login --key asks for it, --key-stdin reads it')
  if (wantedName !== undefined && (options.key || options.keyStdin))
    throw usage('A key knows whose it is: leave the name out')
  const server = await c.server()
  warnOfNetwork(c, server.url)
  if (options.key || options.keyStdin) {
    const key = options.keyStdin ? ((await readLines(c, 1))[0] ?? '') : await c.questions.secret('Key')
    const client = c.clientOf({ url: server.url, key: key.trim() })
    const { account, credential } = await meNow(client, c)
    const keyId = credential?.type === 'key' ? credential.id : null
    const name = await keep(c, server, { key: key.trim(), keyId, account: account?.name ?? null })
    return told(c, server, name, account?.name ?? null)
  }
  if (options.passwordStdin && wantedName === undefined)
    throw usage(
      'With --password-stdin the name stands on the command line: madhava login NAME --password-stdin',
    )
  const stranger = c.clientOf({ url: server.url, key: null })
  const name = wantedName ?? (await c.questions.text('Name', { initial: server.known?.account ?? '' }))
  const password = options.passwordStdin
    ? ((await readLines(c, 1))[0] ?? '')
    : await c.questions.secret(`Password of ${name}`)
  const begun = await stranger.logIn(name, password, { signal: c.signal })
  const kept = await keyOfSession(c, server, begun, options.days)
  return told(c, server, kept, begun.account.name)
}

const logout = async (c: Console): Promise<void> => {
  const server = await c.server()
  const { known, name } = server
  if (!known?.key || name === null) {
    if (server.keyFrom === 'environment')
      throw usage('The key is from MADHAVA_KEY, which the console does not change')
    throw usage(`Nobody is logged in at ${server.name ?? server.url}`)
  }
  const client = c.clientOf({ url: server.url, key: known.key })
  let revoked = false
  try {
    const keyId = known.keyId ?? (await meNow(client, c)).credential?.id
    if (keyId !== undefined) revoked = await revoke(client, keyId, c.signal)
  } catch (error) {
    // what is not valid any more needs no end
    if (!(error instanceof ApiError && error.status === 401)) throw error
  }
  await c.settings.change(settings => {
    const { url } = known
    settings.servers[name] = { url }
  })
  if (c.isJson) await c.printJson({ server: name, revoked })
  else await c.print(revoked ? `Logged out of ${name}; the key is revoked.` : `Logged out of ${name}.`)
}

interface RegisterOptions {
  passwordStdin?: boolean
  days?: number
}

const register = async (
  c: Console,
  wantedName: string | undefined,
  options: RegisterOptions,
): Promise<void> => {
  const server = await c.server()
  warnOfNetwork(c, server.url)
  if (options.passwordStdin && wantedName === undefined)
    throw usage(
      'With --password-stdin the name stands on the command line: madhava register NAME --password-stdin',
    )
  const name = wantedName ?? (await c.questions.text('Name of the new account'))
  let password: string
  let invitation: string
  if (options.passwordStdin) [password = '', invitation = ''] = await readLines(c, 2)
  else {
    password = await c.questions.secret('Password')
    if ((await c.questions.secret('The same password again')) !== password)
      throw usage('The two passwords are not the same')
    invitation = await c.questions.secret('Invitation (empty where the server asks for none)', {
      optional: true,
    })
  }
  const stranger = c.clientOf({ url: server.url, key: null })
  const account = await stranger.createAccount(
    { name, password, ...(invitation.trim() === '' ? {} : { invitation: invitation.trim() }) },
    { signal: c.signal },
  )
  const begun = await stranger.logIn(account.name, password, { signal: c.signal })
  const kept = await keyOfSession(c, server, begun, options.days)
  return told(c, server, kept, account.name)
}

const whoami = async (c: Console): Promise<void> => {
  const server = await c.server()
  const me = await meNow(await c.client(), c)
  if (c.isJson) return c.printJson({ server: { name: server.name, url: server.url }, ...me })
  const rows: [string, string][] = [
    ['server', `${server.name ?? '(no name)'} ${server.url}`],
    ['account', me.account ? `${me.account.name} (${me.account.role})` : 'nobody has logged in'],
    ['may', me.scopes.join(', ') || 'nothing'],
    ['sees', me.sees],
    ...(me.kinds ? ([['kinds', me.kinds.join(', ')]] as [string, string][]) : []),
    ['key', me.credential ? `${me.credential.id}, from ${server.keyFrom}` : '-'],
    ...(me.expiresAt ? ([['valid until', me.expiresAt]] as [string, string][]) : []),
  ]
  const [, ...lines] = layTable([{ head: '' }, { head: '' }], rows, Number.POSITIVE_INFINITY)
  return c.print(lines.join('\n'))
}

const DAYS = 'the key ends by itself after so many days'

export const addSessionCommands = (program: Command, c: Console): void => {
  program
    .command('login [name]')
    .description('log in; the console gets a key of its own, which logout revokes')
    .option('--password-stdin', 'the password is the first line of standard input')
    .option('--key', 'ask for a key instead of a name and a password')
    .option('--key-stdin', 'the key is the first line of standard input')
    .option('--days <days>', DAYS, wholeNumber(1, 3650))
    .action((name: string | undefined, options: LoginOptions) => login(c, name, options))
  program
    .command('logout')
    .description('revoke the key of the console and forget it')
    .action(() => logout(c))
  program
    .command('register [name]')
    .alias('registr')
    .description('make an account, by invitation where the server wants one, and log in')
    .option('--password-stdin', 'standard input has the password, and on a second line the invitation')
    .option('--days <days>', DAYS, wholeNumber(1, 3650))
    .action((name: string | undefined, options: RegisterOptions) => register(c, name, options))
  program
    .command('whoami')
    .description('who you are at the server, and what you may do')
    .action(() => whoami(c))
}
