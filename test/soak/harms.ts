// What the soak does to a running bundle, its broker and the network between them. Each harm does its worst, undoes
// it, and leaves the recovery to Madhava.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Direction } from '../support/byte-spots.ts'
import type { Rabbit } from '../support/rabbitmq.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'

export interface Scene {
  rabbit: Rabbit
  proxy: TcpProxy
  /** The pid of a role's process; null when there is none just now. */
  pidOf(role: string): Promise<number | null>
  /** Ends the whole bundle in this way and starts it again. */
  restart(how: 'SIGKILL' | 'SIGTERM'): Promise<void>
  random: () => number
}

export interface Harm {
  name: string
  /** How often, compared with the others. */
  weight: number
  /** Resolves when the harm is undone. */
  run(scene: Scene): Promise<void>
}

const QUEUE = 'madhava'
/** What begins a publish, and an acknowledgement, on the wire: class and method of AMQP 0-9-1. */
const PUBLISH = Buffer.from([0, 60, 0, 40])
const ACK = Buffer.from([0, 60, 0, 80])

const between = (scene: Scene, least: number, most: number): number => least + scene.random() * (most - least)

const signal = async (scene: Scene, role: string, name: NodeJS.Signals): Promise<number | null> => {
  const pid = await scene.pidOf(role)
  if (pid === null) return null
  try {
    process.kill(pid, name)
    return pid
  } catch {
    // it died by itself in between: no harm of ours
    return null
  }
}

const killRole = (role: string, weight: number): Harm => ({
  name: `${role}: kill -9`,
  weight,
  run: async scene => void (await signal(scene, role, 'SIGKILL')),
})

const freezeRole = (role: string, weight: number): Harm => ({
  name: `${role}: frozen`,
  weight,
  async run(scene) {
    const pid = await signal(scene, role, 'SIGSTOP')
    await sleep(between(scene, 500, 6_000))
    try {
      if (pid !== null) process.kill(pid, 'SIGCONT')
    } catch {}
  },
})

/** The harm happens at a byte; when nobody sends such a byte for a while, it is given up. */
const atSpot = (name: string, weight: number, act: (scene: Scene) => Promise<void>): Harm => ({
  name,
  weight,
  run: scene => Promise.race([act(scene), sleep(10_000)]),
})

/** RabbitMQ loses a quorum queue for good when it is killed in the seconds before its register is written. */
const settled = (scene: Scene): Promise<unknown> =>
  Promise.race([scene.rabbit.registered(QUEUE), sleep(20_000)]).catch(() => {})

export const HARMS: readonly Harm[] = [
  killRole('worker', 6),
  killRole('api', 3),
  killRole('rpc', 1),
  killRole('dashboard', 1),
  freezeRole('worker', 2),
  freezeRole('api', 1),
  {
    name: 'worker: SIGTERM',
    weight: 3,
    run: async scene => void (await signal(scene, 'worker', 'SIGTERM')),
  },
  {
    name: 'bundle: kill -9 of the supervisor, and a new start',
    weight: 1,
    run: scene => scene.restart('SIGKILL'),
  },
  { name: 'bundle: stop, and a new start', weight: 1, run: scene => scene.restart('SIGTERM') },
  {
    name: 'broker: kill -9, and a new start',
    weight: 2,
    async run(scene) {
      await settled(scene)
      await scene.rabbit.kill()
      await sleep(between(scene, 0, 5_000))
      await scene.rabbit.start()
    },
  },
  {
    name: 'broker: killed, all its data deleted, and a new start',
    weight: 2,
    async run(scene) {
      await scene.rabbit.kill()
      await scene.rabbit.wipe()
      await sleep(between(scene, 0, 5_000))
      await scene.rabbit.start()
    },
  },
  {
    name: 'broker: stop, and a new start',
    weight: 1,
    async run(scene) {
      await settled(scene)
      await scene.rabbit.stop()
      await sleep(between(scene, 0, 10_000))
      await scene.rabbit.start()
    },
  },
  {
    name: 'broker: frozen',
    weight: 2,
    async run(scene) {
      await scene.rabbit.pause()
      await sleep(between(scene, 1_000, 40_000))
      scene.rabbit.resume()
    },
  },
  {
    name: 'broker: short of memory',
    weight: 1,
    async run(scene) {
      await scene.rabbit.ctl('set_vm_memory_high_watermark', '0.0000001')
      await sleep(between(scene, 2_000, 15_000))
      await scene.rabbit.ctl('set_vm_memory_high_watermark', '0.4')
    },
  },
  {
    name: 'broker: queue deleted',
    weight: 1,
    run: async scene => void (await scene.rabbit.ctl('delete_queue', QUEUE)),
  },
  { name: 'network: cut', weight: 2, run: async scene => scene.proxy.cut() },
  atSpot('network: cut in the middle of a publish', 2, scene =>
    scene.proxy.cutAt({ direction: 'up', pattern: PUBLISH, after: 4 }),
  ),
  atSpot('network: cut in the middle of an acknowledgement', 2, scene =>
    scene.proxy.cutAt({ direction: 'up', pattern: ACK, after: 3 }),
  ),
  ...(['up', 'down'] as const).map((direction: Direction) =>
    atSpot(`network: bytes garbled (${direction})`, 1, scene =>
      scene.proxy.garbleAt({ direction, after: Math.floor(between(scene, 0, 500)), bytes: 3 }),
    ),
  ),
  {
    name: 'network: nothing passes',
    weight: 2,
    async run(scene) {
      scene.proxy.stall()
      await sleep(between(scene, 1_000, 30_000))
      scene.proxy.resume()
    },
  },
  {
    name: 'network: connections refused',
    weight: 2,
    async run(scene) {
      await scene.proxy.refuse()
      await sleep(between(scene, 1_000, 20_000))
      await scene.proxy.accept()
    },
  },
  {
    name: 'network: slow',
    weight: 1,
    async run(scene) {
      scene.proxy.delay(200)
      await sleep(10_000)
      scene.proxy.delay(0)
    },
  },
]

/** One of them, by weight. */
export const drawHarm = (random: () => number): Harm => {
  let left = random() * HARMS.reduce((sum, { weight }) => sum + weight, 0)
  for (const harm of HARMS) {
    left -= harm.weight
    if (left < 0) return harm
  }
  return HARMS[0] as Harm
}
