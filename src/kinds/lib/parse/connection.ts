// Ends a connection and waits until the system has closed it, so that nothing of it is left in the thread.
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** A connection, and how to end it. */
export interface Connection {
  socket: Socket
  /** May be called twice. */
  end(): Promise<void>
}

/** Turns of the loop that it waits at most: closing takes one or two. */
const TURNS = 50

/** @param socket a new one: `closed` is true before a socket is, so its event is what counts */
export const createConnection = (socket: Socket): Connection => {
  let isOpen = true
  socket.once('close', () => {
    isOpen = false
  })
  return {
    socket,
    async end() {
      socket.destroy()
      for (let turns = 0; isOpen && turns < TURNS; turns++) await turn()
    },
  }
}
