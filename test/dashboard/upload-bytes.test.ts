// Uploads by way of the dashboard, over its port: every byte that is sent is there, however the bytes come.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { anybody } from '../support/actors.ts'
import { type DashboardDoor, openDashboardDoor, PASSWORD } from '../support/dashboard-door.ts'

const AUTHORIZATION = `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`

describe('an upload by way of the dashboard', { timeout: 300_000 }, () => {
  let door: DashboardDoor
  before(async () => {
    const memory = createMemoryStore({ clock: () => new Date() })
    const { documents } = memory
    /** As a disk does: bytes come meanwhile. */
    const slow = {
      ...documents,
      put: async (...args: Parameters<typeof documents.put>) => {
        for (let turn = 0; turn < 50; turn += 1) await new Promise(resolve => setImmediate(resolve))
        return documents.put(...args)
      },
    }
    door = await openDashboardDoor({ fixture: { store: { ...memory, documents: slow } } })
  })
  after(() => door?.close())
  const send = (method: string, path: string, body?: Uint8Array): Promise<{ status: number; json: never }> =>
    new Promise((resolve, reject) => {
      const asking = request(`${door.url}/api${path}`, {
        method,
        headers: { authorization: AUTHORIZATION, accept: 'application/json' },
      })
      asking.on('error', reject)
      asking.on('response', answer => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            json: JSON.parse(Buffer.concat(parts).toString()) as never,
          }),
        )
      })
      asking.end(body)
    })
  const contentOf = async (id: string): Promise<Buffer> => {
    const { open } = await door.fixture.service.uploads.content(anybody(), id)
    const parts: Buffer[] = []
    for await (const part of await open()) parts.push(Buffer.from(part as Uint8Array))
    return Buffer.concat(parts)
  }

  it('has every byte, in one request and in several', async () => {
    // what is sent at once with the headers, and what comes after
    for (const size of [1, 1_000, 70_000, 3_000_000]) {
      const bytes = randomBytes(size)
      const whole = (await send('POST', '/uploads?name=x', bytes)).json as { id: string }
      assert.ok((await contentOf(whole.id)).equals(bytes), `${size} bytes in one request`)
      const begun = (await send('POST', `/uploads?resumable=1&length=${size}`)).json as { id: string }
      const half = Math.floor(size / 2)
      await send('PATCH', `/uploads/${begun.id}?offset=0`, bytes.subarray(0, half))
      await send('PATCH', `/uploads/${begun.id}?offset=${half}`, bytes.subarray(half))
      const { status } = await send('POST', `/uploads/${begun.id}/finish`)
      assert.equal(status, 200)
      assert.ok((await contentOf(begun.id)).equals(bytes), `${size} bytes in several requests`)
    }
  })
})
