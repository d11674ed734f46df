// A follower of a task's log while the worker and the api are killed: every line once, in order, over REST and Thrift.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createClient, type LogEntry } from '../../src/client/client.ts'
import { createRpcClient } from '../../src/client/rpc.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

const LINES = 300
const TALKER = `import { setTimeout as wait } from 'node:timers/promises'
export default ({ defineKind, z }) => defineKind({
  summary: 'Says many lines',
  params: z.strictObject({}),
  result: z.int(),
  example: {},
  async run(_params, ctx) {
    // the first attempt goes on until its worker is killed
    for (let n = 0; ctx.attempt === 1 || n < ${LINES}; n += 1) {
      ctx.log(ctx.attempt + ' ' + n)
      await wait(ctx.attempt === 1 ? 80 : 10)
    }
    return ctx.attempt
  },
})
`

describe("a follower of a task's log", { timeout: 600_000 }, () => {
  const { dataDir, remove } = makeDataDir()
  const kinds = mkdtempSync(path.join(tmpdir(), 'madhava-kinds-'))
  let bundle: Bundle
  before(async () => {
    writeFileSync(path.join(kinds, 'talker.mjs'), TALKER)
    // ports of their own, since api and rpc have to come back where they were
    bundle = await startBundle(dataDir, {
      API_PORT: String(await freePort()),
      RPC_PORT: String(await freePort()),
      KINDS_DIR: kinds,
    })
  })
  after(async () => {
    await bundle?.stop()
    rmSync(kinds, { recursive: true, force: true })
    remove()
  })

  it('finds every line once and in order over a kill of the worker and of the doors', async () => {
    const client = createClient({ baseUrl: bundle.api })
    const [host = '', port = ''] = bundle.rpc.split(':')
    const rpc = createRpcClient({ host, port: Number(port) })
    const { id } = await client.submit({ kind: 'talker', params: {} })
    const [seen, polled]: [LogEntry[], LogEntry[]] = [[], []]
    const following = (async () => {
      for await (const entry of client.followLog(id)) seen.push(entry)
    })()
    const polling = (async () => {
      for await (const entry of rpc.followLog(id)) polled.push(entry)
    })()
    const textOf = (entry: LogEntry | undefined): string => (entry && 'text' in entry ? entry.text : '')
    const kill = async (role: string) => process.kill(await bundle.pidOf(role), 'SIGKILL')

    await until('lines are seen', () => seen.length > 20)
    await kill('api')
    const before = seen.length
    await until('lines are seen again', () => seen.length > before, 30_000)
    await kill('worker')
    await until('the next attempt is heard', () => textOf(seen.at(-1)).startsWith('2 '), 60_000)
    await kill('rpc')
    await kill('api')
    await following
    await polling
    rpc.close()

    const task = await client.get(id)
    assert.deepEqual(
      task.attempts?.map(({ attempt, outcome }) => [attempt, outcome]),
      [
        [1, 'LOST'],
        [2, 'SUCCESS'],
      ],
    )
    for (const entries of [seen, polled]) {
      assert.deepEqual(
        entries.map(entry => 'n' in entry && entry.n),
        entries.map((_, place) => place + 1),
        'a line is missing or doubled',
      )
      for (const attempt of [1, 2]) {
        const said = entries.filter(entry => 'n' in entry && entry.attempt === attempt).map(textOf)
        assert.deepEqual(
          said,
          said.map((_, n) => `${attempt} ${n}`),
        )
        assert.ok(attempt === 1 ? said.length > 20 : said.length === LINES, `${said.length} lines`)
      }
    }
    assert.deepEqual((await client.logEntries(id)).entries, seen)
  })
})
