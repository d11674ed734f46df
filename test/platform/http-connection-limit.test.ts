// Which connections make room for others, on a clock that stands still.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { createTrust } from '../../src/platform/client-address.ts'
import { createHttpConnectionLimit } from '../../src/platform/http-connection-limit.ts'

const world = () => {
  let now = 0
  const limit = createHttpConnectionLimit(
    { maxConnections: 4, perAddress: 2, reserved: 1 },
    createTrust([]),
    () => {},
    () => now,
  )
  const connect = () => {
    const events = new EventEmitter()
    const socket = Object.assign(events, {
      ...{ remoteAddress: '192.0.2.1', bytesRead: 0, destroyed: false },
      destroy() {
        this.destroyed = true
        events.emit('close')
      },
    })
    limit.enter(socket as unknown as Socket)
    return socket
  }
  return {
    connect,
    /** A request with a body that has not come yet. */
    begin(socket: ReturnType<typeof connect>) {
      socket.bytesRead += 500
      const incoming = { socket, complete: false, url: '/uploads' } as unknown as IncomingMessage
      const outgoing = Object.assign(new EventEmitter(), { headersSent: false })
      assert.ok(limit.begin(incoming, outgoing as unknown as ServerResponse))
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

describe('connections of HTTP', () => {
  it('with a body that comes at a fair pace make no room for others, and those with one that drips do', () => {
    const { connect, begin, pass } = world()
    const [large, dripping] = [connect(), connect()]
    begin(large)
    begin(dripping)
    pass(60_000)
    large.bytesRead += 60 * 4_096
    dripping.bytesRead += 60
    connect()
    assert.deepEqual([large.destroyed, dripping.destroyed], [false, true])
  })

  it('with a body that no longer comes make room in the end', () => {
    const { connect, begin, pass } = world()
    const [first, second] = [connect(), connect()]
    begin(first)
    begin(second)
    pass(10_000)
    first.bytesRead += 20 * 4_096
    second.bytesRead += 40 * 4_096
    pass(15_000)
    connect()
    assert.deepEqual([first.destroyed, second.destroyed], [true, false])
  })
})
