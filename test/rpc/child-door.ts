// A Thrift door in a process of its own, so that its memory can be told from that of its clients.
import assert from 'node:assert/strict'
import { startChild } from '../support/child.ts'
import type { DoorLine } from '../support/rpc-door.ts'
import { type DoorAddress, until } from './fixture.ts'

/** Those of the bundle's processes: without them V8 keeps more of what it had once. */
const ROLE_OPTIONS = ['--max-semi-space-size=4', '--max-old-space-size=1024']

export interface ChildDoor {
  door: DoorAddress
  /** Its memory in bytes, and its counters. */
  figures(): Promise<Extract<DoorLine, { rss: number }>>
  stop(): Promise<void>
}

export const startDoor = async (): Promise<ChildDoor> => {
  const child = startChild<DoorLine>('rpc-door.ts', null, ROLE_OPTIONS)
  const told = await child.line(line => 'port' in line)
  assert.ok('port' in told)
  return {
    door: { address: { host: '127.0.0.1', port: told.port } },
    async figures() {
      const seen = child.lines.length
      child.send('figures')
      await until('the door tells its figures', () => child.lines.length > seen)
      const line = child.lines.at(-1)
      assert.ok(line && 'rss' in line)
      return line
    },
    stop: () => child.stop(),
  }
}
