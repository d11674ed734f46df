// Frames of the WebSocket as the server sends them: whole texts, unmasked. A frame that many sockets get is built once.
// RFC 6455, 5.2.

import type { TaskRecord } from '../../core/task.ts'
import { viewTask } from '../../core/task-view.ts'
import type { WatchEvent } from '../../core/watch-event.ts'

/** The last frame of a message, which is a text. */
const WHOLE_TEXT = 0x81
const IN_7_BITS = 125
const IN_16_BITS = 0xffff

/** A text of any length as one frame. */
export const frameOf = (text: string): Buffer => {
  const length = Buffer.byteLength(text)
  const head = length <= IN_7_BITS ? 2 : length <= IN_16_BITS ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = WHOLE_TEXT
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame.write(text, head)
  return frame
}

/** The frame of an event, for those who follow under this name. */
export type EventFrames = (of: string, event: WatchEvent) => Buffer

/**
 * A writer of events. Who follows the same tasks is handed the same events (core/live-groups.ts), so the frame of one
 * is built once for each name; the text of a task once for all, whatever their cursors are.
 */
export const createEventFrames = (): EventFrames => {
  const texts = new WeakMap<TaskRecord, string>()
  const taskText = (task: TaskRecord): string => {
    const known = texts.get(task)
    if (known !== undefined) return known
    const text = JSON.stringify(viewTask(task))
    texts.set(task, text)
    return text
  }
  const textOf = (of: string, event: WatchEvent): string => {
    if (event.type !== 'task') return JSON.stringify({ ...event, on: of })
    const head = JSON.stringify({ type: 'task', on: of, cursor: event.cursor })
    return `${head.slice(0, -1)},"task":${taskText(event.task)}}`
  }
  /** Of each event, under the name that was asked for last: most follow under the same one. */
  const frames = new WeakMap<WatchEvent, { of: string; frame: Buffer }>()
  return (of, event) => {
    const known = frames.get(event)
    if (known?.of === of) return known.frame
    const frame = frameOf(textOf(of, event))
    frames.set(event, { of, frame })
    return frame
  }
}
