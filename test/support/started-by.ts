// A test process that starts a Madhava and says where: to be killed, or to end without a stop.
import { startMadhava } from '../../src/testing/testing.ts'

const [options = '{}', then = 'stay'] = process.argv.slice(2)
const { url, dataDir, client } = await startMadhava(JSON.parse(options) as object)
if (then === 'work') {
  const { id } = await client.submit({ kind: 'naps', params: {} })
  for await (const { status } of client.watch(id)) if (status === 'PROGRESS') break
}
console.log(JSON.stringify({ url, dataDir }))
if (then !== 'forget') setInterval(() => {}, 60_000)
