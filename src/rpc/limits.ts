// How much the Thrift server takes from one client and from all of them. Numbers only.

export interface RpcLimits {
  /** Bytes of one message. */
  messageBytes: number
  /** Bytes of a method's name. */
  nameBytes: number
  /** Structs and containers inside each other. */
  depth: number
  /** Elements of one list, set or map. */
  elements: number
  /** A connection on which nothing moves for so long is closed, milliseconds. */
  idleMs: number
  /** A message must be whole so long after its first byte, milliseconds. */
  messageMs: number
  /** A call that has no answer by then is answered with an error, milliseconds. */
  callMs: number
  /** Connections at a time; further ones take the place of one that is idle, or are closed at once. */
  connections: number
  /** Of one address, unless TRUST_PROXY names it. */
  perAddress: number
  /** Bytes of messages that are not whole, or wait for their turn, over all connections, and of one address. */
  heldBytes: number
  heldPerAddress: number
  /** Unread reply bytes of a client above which its next call has to wait. */
  unreadBytes: number
  /** Bytes that may wait for all clients; beyond it the one that has not read for longest is closed. */
  unreadTotalBytes: number
  /** What close() gives to calls under way, milliseconds. */
  closeMs: number
  /** Tasks that one listTasks answers. */
  listedTasks: number
  /** Lists made at a time; further ones wait their turn. */
  lists: number
}

export const RPC_LIMITS: RpcLimits = {
  messageBytes: 1024 * 1024,
  nameBytes: 128,
  depth: 32,
  elements: 65_536,
  idleMs: 60_000,
  messageMs: 60_000,
  callMs: 60_000,
  connections: 512,
  perAddress: 256,
  heldBytes: 64 * 1024 * 1024,
  heldPerAddress: 32 * 1024 * 1024,
  unreadBytes: 256 * 1024,
  unreadTotalBytes: 64 * 1024 * 1024,
  closeMs: 3_000,
  listedTasks: 10_000,
  lists: 2,
}
