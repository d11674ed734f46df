import { mkdirSync, writeFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { newTaskId } from '/work/w8/src/core/task.ts'
import { filesAdapter } from '/work/w8/src/stores/files/adapter.ts'
import { createSharedClock } from '/work/w8/src/platform/shared-clock.ts'
import { silentLog } from '/work/w8/src/platform/log.ts'
import { createFailureBook } from '/work/w8/src/dashboard/overview/failure-book.ts'
import { firstRecord, start, fail, succeed } from '/work/w8/src/core/moves.ts'
const dir = process.argv[2]!; const failing = Number(process.argv[3])
for (let s = 0; s < 256; s++) mkdirSync(path.join(dir, 'tasks', s.toString(16).padStart(2, '0')), { recursive: true })
const N = 100_000, from = Date.now() - N * 200
for (let n = 0; n < N; n++) {
  const t = new Date(from + n * 200).toISOString()
  let r = firstRecord({ id: newTaskId(), kind: ['calcpi', 'report', 'mail'][n % 3]!, params: { n, text: 'x'.repeat(200) }, priority: 5, maxAttempts: 1, notBefore: null, expiresAt: null, owner: null, parentId: null, title: null, description: null, idempotencyKey: null, retry: null, limits: { softSeconds: null, hardSeconds: null }, createdAt: t } as never)
  r = { ...start('w:1', t)(r), claim: 1, rev: 1 }
  r = n < failing ? { ...fail({ code: 'KIND_FAILED', message: `no answer from db-${n % 7} after ${n} ms: reason ${'abcdefghijklmnopqrst'[n % 20]}`, detail: { stack: 'y'.repeat(500) } }, null, t)(r), rev: 2 } : { ...succeed('z', null, t)(r), rev: 2 }
  writeFileSync(path.join(dir, 'tasks', r.id.slice(-2), `${r.id}.json`), JSON.stringify(r, null, 2) + '\n')
}
const sharedClock = createSharedClock(Date.now)
const adapter = filesAdapter({ dir } as never)
const store = await adapter.open({ sharedClock, log: silentLog() } as never)
let t = performance.now(); const c = await store.counts(); console.log('index', Math.round(performance.now() - t), 'ms', c.total)
const book = createFailureBook({ store })
let worst = 0, last = performance.now(); const iv = setInterval(() => { const n = performance.now(); worst = Math.max(worst, n - last - 10); last = n }, 10)
t = performance.now(); const cpu0 = process.cpuUsage()
for (;;) { const a = performance.now(); const f = await book(); console.log(Math.round(performance.now() - t), 'ms: answer took', Math.round(performance.now() - a), f.count, f.isWhole, f.groups.length); if (f.isWhole) break }
const cpu = process.cpuUsage(cpu0); console.log('cpu ms', Math.round((cpu.user + cpu.system) / 1000), 'worst turn', Math.round(worst))
await new Promise(r => setTimeout(r, 2500))
for (let i = 0; i < 3; i++) { const a = performance.now(); await book(); console.log('again', Math.round(performance.now() - a)) ; await new Promise(r => setTimeout(r, 2500)) }
clearInterval(iv); console.log('rss', Math.round(process.memoryUsage.rss() / 1e6)); await store.close()
rmSync(dir, { recursive: true }); process.exit()
