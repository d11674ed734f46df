// Every role of Madhava in one process, for tests: what they need is loaded once, so that it is up within two or
// three seconds, and one process is all that has to end. The roles know each other by the store alone, as everywhere.
// It lives as long as the IPC channel to the test, and takes its folder with it.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { readConfig } from '../config.ts'
import { afterClose } from '../platform/shutdown.ts'
import { seePresences } from '../wire.ts'
import { removeShared } from './remove-shared.ts'
import type { InTrouble, Ready } from './started-process.ts'

const [dataDir = '', rolesText = '', mayBeBroken = '', removes = ''] = process.argv.slice(2)
const roles = rolesText.split(',')

process.on('exit', () => {
  if (dataDir !== '') rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
})
let opened = 0
/** For roles that are up to close by themselves, while another one was about to open. */
const EARLY_END_MS = 5_000
const endEarly = (): void => {
  if (opened === 0) process.exit(1)
  if (opened < roles.length) setTimeout(() => process.exit(1), EARLY_END_MS)
}
process.on('disconnect', endEarly)
if (!process.connected) process.exit(1)

/** The doors first: a store that is used in earnest may have tasks that wait. */
const MAINS: Readonly<Record<string, () => Promise<unknown>>> = {
  api: () => import('../api/main.ts'),
  rpc: () => import('../rpc/main.ts'),
  dashboard: () => import('../dashboard/main.ts'),
  worker: () => import('../worker/main.ts'),
}

/** While the first role waits for files, what the others need is loaded. An error shows when they load it themselves. */
const PRELOADED: Readonly<Record<string, () => Promise<unknown>>> = {
  rpc: () => import('../rpc/server.ts'),
  dashboard: () => import('../dashboard/server.ts'),
}
for (const role of roles) PRELOADED[role]?.().catch(() => {})

afterClose(() =>
  removeShared(readConfig(), {
    keys: removes.includes('STORE_PREFIX'),
    queues: removes.includes('AMQP_QUEUE'),
  }),
)

/** Ends this process if a file of kinds cannot be used. Every role reads them all, so the first one knows. */
const refuseTrouble = async (): Promise<void> => {
  const { presences, isOwn } = await seePresences(readConfig())
  const troubles = presences.filter(isOwn).flatMap(({ details }) => details.kindsInTrouble ?? [])
  if (troubles.length === 0) return
  await new Promise(resolve => process.send?.({ troubles } satisfies InTrouble, resolve))
  process.kill(process.pid, 'SIGTERM')
  // the role that is up closes, and ends this process
  await new Promise(() => {})
}

// one after the other: while a process reads kinds, it guards what they could end
for (const [at, role] of roles.entries()) {
  await MAINS[role]?.()
  opened += 1
  if (at === 0 && mayBeBroken === '') await refuseTrouble()
}
process.title = `madhava ${path.basename(dataDir)}`
const { presences, isOwn } = await seePresences(readConfig())
const addresses = Object.fromEntries(
  presences.filter(isOwn).flatMap(({ role, details: { address } }) => (address ? [[role, address]] : [])),
)
process.send?.({ addresses } satisfies Ready)
