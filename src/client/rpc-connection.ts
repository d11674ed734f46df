// One framed connection to the Thrift port, one call at a time. A call ends with its reply, or with an error when the
// connection breaks or the time is over: it never hangs. It knows no methods.
import { connect } from 'node:net'
import thrift from 'thrift'
import madhava from '../../gen/js/Madhava.js'
import { reasonOf } from './errors.ts'
import { RpcConnectionError } from './rpc-errors.ts'

export interface RpcPlace {
  host: string
  port: number
  protocol: 'binary' | 'compact'
  /** Bytes of one reply. */
  replyBytes: number
}

export type GeneratedClient = InstanceType<typeof madhava.Client>

export interface RpcConnection {
  /** @throws RpcConnectionError; also what the generated code rejects with */
  call<T>(invoke: (client: GeneratedClient) => Promise<T>, timeoutMs: number): Promise<T>
  /** Idempotent. A call under way fails. */
  close(): void
  readonly over: boolean
}

/** The methods of generated code that receive a reply, which its types leave out. */
type Receiving = Record<string, (input: thrift.TProtocol, type: number, seqid: number) => void>

/** The connection opens at the first call. */
export const openConnection = ({ host, port, protocol, replyBytes }: RpcPlace): RpcConnection => {
  const Protocol = protocol === 'compact' ? thrift.TCompactProtocol : thrift.TBinaryProtocol
  const socket = connect({ host, port, noDelay: true })
  let over: RpcConnectionError | null = null
  let failCall: ((error: RpcConnectionError) => void) | null = null

  const end = (message: string, cause?: unknown): void => {
    over ??= new RpcConnectionError(message, true, cause)
    socket.destroy()
    failCall?.(over)
  }
  /** Whether the whole call has been sent. */
  let sent = false
  const output = new thrift.TFramedTransport(undefined, bytes => {
    sent = true
    if (bytes) socket.write(bytes)
  })
  const client = new madhava.Client(output, Protocol as never)

  const receive = thrift.TFramedTransport.receiver as (
    onFrame: (frame: thrift.TTransport) => void,
    seqid: number,
    maxLength: number,
  ) => (bytes: Buffer) => void
  const take = receive(
    frame => {
      const input = new Protocol(frame)
      const { fname, mtype, rseqid } = input.readMessageBegin()
      const method = `recv_${fname}`
      const receiver = client as unknown as Receiving
      if (typeof receiver[method] !== 'function') throw new Error(`a reply to ${fname}`)
      receiver[method](input, mtype, rseqid)
    },
    0,
    replyBytes,
  )
  socket.on('data', bytes => {
    try {
      take(bytes)
    } catch (error) {
      end('The server answers with what is no reply', error)
    }
  })
  socket.on('error', error => end(`There is no connection to ${host}:${port}: ${reasonOf(error)}`, error))
  socket.on('close', () => end('The server has closed the connection'))

  return {
    call: (invoke, timeoutMs) =>
      new Promise((resolve, reject) => {
        if (over) {
          reject(new RpcConnectionError(over.message, false, over.cause))
          return
        }
        const timer = setTimeout(() => end(`There was no answer within ${timeoutMs} ms`), timeoutMs)
        const settle = (): void => {
          clearTimeout(timer)
          failCall = null
        }
        // generated code never settles a call whose connection breaks
        failCall = error => {
          settle()
          reject(error)
        }
        sent = false
        // a failed write leaves half a message in the transport, and an invocation may also throw
        const asked = (async () => invoke(client))()
        asked.then(resolve, error => {
          reject(error)
          if (!sent) end('A call could not be written', error)
        })
        asked.then(settle, settle)
      }),
    close: () => end('The connection was closed'),
    get over() {
      return over !== null
    },
  }
}
