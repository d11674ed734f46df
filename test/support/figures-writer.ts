// Writes rows of figures as fast as it can until it is killed, and tells which are written.
import { noValues } from '../../src/dashboard/figures/columns.ts'
import { openRings, SPANS } from '../../src/dashboard/figures/rings.ts'
import { silentLog } from '../../src/platform/log.ts'

const { file, from } = JSON.parse(process.argv[2] ?? '{}') as { file: string; from: number }
const rings = await openRings(file, silentLog())
process.stdin.on('end', () => process.exit()).resume()
for (let step = 0; ; step += 1) {
  const at = from + step * SPANS.hour.everyMs
  rings.put('hour', { ...noValues(), at, cpu: step % 100, PENDING: step })
  rings.put('week', { ...noValues(), at, cpu: step % 100, PENDING: step })
  await rings.flush()
  if (step % 20 === 0) console.log(JSON.stringify({ step }))
}
