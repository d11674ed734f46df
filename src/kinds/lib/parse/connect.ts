// Opens a connection to addresses that were checked, and to no others: the name is not resolved again.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Connection, createConnection } from './connection.ts'
import { type Guard, hostOf, portOf } from './guard.ts'
import { codeText, ParseError } from './parse-error.ts'
import type { Found } from './resolve.ts'
import { withSignal } from './with-signal.ts'

/** How long one address is tried while there are others. */
const EACH_MS = 1_000

/** Resolves at `event`. @throws the socket's error */
const untilEvent = (socket: Socket, event: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(Object.assign(new Error('it was closed'), { code: 'ECONNRESET' })))
  })

/** AggregateError of several addresses: the code of the first. */
const firstOf = (error: unknown): unknown =>
  error instanceof AggregateError && codeText(error) === '' ? error.errors[0] : error

const openTcp = async (
  url: URL,
  { addresses, guard, signal }: { addresses: readonly Found[]; guard: Guard; signal: AbortSignal },
): Promise<Connection> => {
  const [first] = addresses
  const socket = connectTcp({
    port: portOf(url),
    noDelay: true,
    ...(addresses.length === 1
      ? { host: first?.address ?? '' }
      : {
          // Node tries them in turn; it asks this function and no resolver
          host: 'checked',
          lookup: (_host, _options, answer) =>
            (answer as (error: null, list: readonly Found[]) => void)(null, addresses),
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: EACH_MS,
        }),
  })
  const connection = createConnection(socket)
  // errors after this have no listener of their own
  socket.on('error', () => undefined)
  try {
    await withSignal(untilEvent(socket, 'connect'), signal)
    // once more, where it has arrived: this holds whatever stands above
    if (!guard.mayReach(url, socket.remoteAddress ?? ''))
      throw new ParseError('PARSE_REFUSED', 'the connection went to an address that is not public')
    return connection
  } catch (error) {
    await connection.end()
    signal.throwIfAborted()
    if (error instanceof ParseError) throw error
    throw new ParseError('PARSE_UNREACHABLE', `the host cannot be reached${codeText(firstOf(error))}`)
  }
}

const openTls = async (
  url: URL,
  { socket: tcp, end }: Connection,
  signal: AbortSignal,
): Promise<Connection> => {
  const name = hostOf(url).replace(/\.$/, '')
  const isName = !url.hostname.startsWith('[') && !/^[\d.]+$/.test(name)
  const socket = connectTls({
    socket: tcp,
    // whom the certificate must name
    host: name,
    ...(isName ? { servername: name } : {}),
    ALPNProtocols: ['http/1.1'],
    // whatever the environment says
    rejectUnauthorized: true,
  })
  const connection = createConnection(socket)
  const endBoth = async (): Promise<void> => {
    await connection.end()
    await end()
  }
  socket.on('error', () => undefined)
  try {
    await withSignal(untilEvent(socket, 'secureConnect'), signal)
    return { socket, end: endBoth }
  } catch (error) {
    await endBoth()
    signal.throwIfAborted()
    const text = codeText(error)
    if (text === ' (ECONNRESET)')
      throw new ParseError('PARSE_CUT', 'the connection ended while TLS was set up')
    throw new ParseError('PARSE_TLS', `TLS failed${text}`)
  }
}

/**
 * A connection that is ready for a request. The caller ends it.
 * @param addresses checked, at least one
 * @throws PARSE_UNREACHABLE, PARSE_TLS, PARSE_CUT, PARSE_REFUSED; the signal's reason
 */
export const connect = async (
  url: URL,
  options: { addresses: readonly Found[]; guard: Guard; signal: AbortSignal },
): Promise<Connection> => {
  const tcp = await openTcp(url, options)
  return url.protocol === 'https:' ? openTls(url, tcp, options.signal) : tcp
}
