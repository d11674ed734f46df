// Port: messages in a queue that announce no task. They are kept aside, durable and bounded (the oldest are dropped
// first), until an operator decides. A part of TaskQueue; the embedded queue has none.

export interface DeadMessage {
  /** A UUID of ours. It changes if the message is replayed and kept aside again. */
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
  /** The oldest first, with the total. @throws QUEUE_UNAVAILABLE */
  list(limit: number): Promise<{ messages: DeadMessage[]; total: number }>
  /** Puts a message back into the queue unchanged. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  replay(id: string): Promise<boolean>
  /** Removes a message. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  discard(id: string): Promise<boolean>
  /** How many there are; null when the queue cannot tell now. */
  count(): Promise<number | null>
}

/** For a queue that no other program can send messages to. */
export const NO_DEAD_MESSAGES: DeadMessages = {
  list: async () => ({ messages: [], total: 0 }),
  replay: async () => false,
  discard: async () => false,
  count: async () => 0,
}
