// A port that is free now and stays so while the server of a test is away: below the range from which the system
// takes ports for outgoing connections.
import { once } from 'node:events'
import { createServer } from 'node:net'

const FIRST = 15_000
const COUNT = 15_000

export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 200; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    const server = createServer()
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('no port is free')
}
