// Port: messages in a queue that announce no task. They are kept aside until somebody decides: durable, and bounded
// (the oldest go first). A part of TaskQueue; a queue to which nobody can send a message has none.

export interface DeadMessage {
  /** A UUID of ours; it changes when the message is replayed and kept aside once more. */
  id: string
  /** What is wrong with it. */
  reason: string
  deadAt: string
  bytes: number
  contentType: string | null
  /** The beginning of its body as text. */
  preview: string
}

export interface DeadMessages {
  /** The oldest first, and how many there are in all. @throws QUEUE_UNAVAILABLE */
  list(limit: number): Promise<{ messages: DeadMessage[]; total: number }>
  /** Puts one back into the queue as it came. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  replay(id: string): Promise<boolean>
  /** Removes one. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  discard(id: string): Promise<boolean>
  /** How many there are, or null when that cannot be known now. */
  count(): Promise<number | null>
}

/** Of a queue to which nobody can send a message. */
export const NO_DEAD_MESSAGES: DeadMessages = {
  list: async () => ({ messages: [], total: 0 }),
  replay: async () => false,
  discard: async () => false,
  count: async () => 0,
}
