// Every role of Madhava in one process, for tests: what they need is loaded once, so that it is up within a second or
// two, and one process is all that has to end. The roles know each other by the store alone, as everywhere.
// It lives as long as the IPC channel to the test, and takes its folder with it.
import { rmSync } from 'node:fs'
import { readConfig } from '../config.ts'
import { afterClose } from '../platform/shutdown.ts'
import { seePresences } from '../wire.ts'
import { removeShared } from './remove-shared.ts'
import type { InTrouble, Ready } from './started-process.ts'

const [rolesText = '', mayBeBroken = '', removes = ''] = process.argv.slice(2)
const roles = rolesText.split(',')
const dataDir = process.env.DATA_DIR ?? ''

process.on('exit', () => {
  if (dataDir !== '') rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
})
/** Until the roles close by themselves. */
let isUp = false
const endEarly = (): void => {
  if (!isUp) process.exit(1)
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
  process.exit(1)
}

// one after the other: while a process reads kinds, it guards what they could end
for (const [at, role] of roles.entries()) {
  await MAINS[role]?.()
  if (at === 0 && mayBeBroken === '') await refuseTrouble()
}
process.title = 'madhava of a test'
const { presences, isOwn } = await seePresences(readConfig())
const addresses = Object.fromEntries(
  presences.filter(isOwn).flatMap(({ role, details: { address } }) => (address ? [[role, address]] : [])),
)
isUp = true
process.send?.({ addresses } satisfies Ready)
