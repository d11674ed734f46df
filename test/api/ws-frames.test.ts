// The frames that a server writes itself: any text, as a client of another make reads it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import WebSocket, { WebSocketServer } from 'ws'
import { createEventFrames, frameOf } from '../../src/api/ws/frames.ts'
import type { WatchEvent } from '../../src/core/watch.ts'
import { newTask } from '../suites/store/world.ts'
import { until } from '../support/until.ts'

const textIn = (frame: Buffer): string => {
  const head = frame[1] === 126 ? 4 : frame[1] === 127 ? 10 : 2
  return frame.toString('utf8', head)
}

describe('a frame', { timeout: 300_000 }, () => {
  it('carries a text of any length, also between those that the library writes', async () => {
    const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]
    const texts = [...lengths.map(length => 'x'.repeat(length)), 'é€😀', 'é'.repeat(63), 'é'.repeat(32_768)]
    const http = createServer()
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
    http.on('upgrade', (request, connection, head) =>
      server.handleUpgrade(request, connection, head, socket => {
        for (const text of texts) {
          connection.write(frameOf(text))
          socket.ping()
          socket.send(`after ${text.length}`)
        }
      }),
    )
    await once(http.listen(0, '127.0.0.1'), 'listening')
    const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
    const [seen, pings]: [string[], number[]] = [[], []]
    client.on('message', data => seen.push(String(data))).on('ping', () => pings.push(1))
    try {
      await until('all have come', () => seen.length === 2 * texts.length && pings.length === texts.length)
      assert.deepEqual(
        seen,
        texts.flatMap(text => [text, `after ${text.length}`]),
      )
    } finally {
      client.terminate()
      http.close()
    }
  })

  it('of an event is built once for all who follow under one name, and says their name to the others', () => {
    const frames = createEventFrames()
    const task = newTask({ title: 'one "task"' })
    const event: WatchEvent = { type: 'task', cursor: 'c', task }
    const first = frames('all', event)
    assert.equal(frames('all', event), first)
    const other = JSON.parse(textIn(frames('other', event)))
    assert.deepEqual([other.on, other.task.id], ['other', task.id])
    assert.deepEqual(JSON.parse(textIn(frames('all', { ...event, cursor: null }))).cursor, null)
    const { attempts: _, ...shown } = task
    assert.deepEqual(JSON.parse(textIn(first)), {
      type: 'task',
      on: 'all',
      cursor: 'c',
      task: { ...shown, paramsTruncated: false, resultTruncated: false },
    })
    const removed: WatchEvent = { type: 'removed', cursor: 'd', id: 'x' }
    assert.deepEqual(JSON.parse(textIn(frames('all', removed))), { ...removed, on: 'all' })
  })
})
