// A further process of a benchmark and the messages with it. It ends when the one that started it does.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface Peer<Ask, Answer> {
  readonly pid: number
  /** Sends a question and waits for its answer. @throws Error when the process ends before */
  ask(question: Ask): Promise<Answer>
  /** Resolves when the process is gone. Idempotent. */
  close(): Promise<void>
}

/** The options of V8 that the bundle's processes run with. */
const { apps } = createRequire(import.meta.url)('../ecosystem.config.cjs') as {
  apps: { node_args: string[] }[]
}
export const roleOptions = apps[0]?.node_args ?? []

/** Starts `bench/<program>`; it counts as started when it has answered null. */
export const startPeer = async <Ask, Answer>(
  program: string,
  ...args: string[]
): Promise<Peer<Ask, Answer>> => {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
    execArgv: [
      '--import',
      'tsx',
      ...roleOptions,
      ...process.execArgv.filter(arg => arg.startsWith('--cpu-prof')),
    ],
    serialization: 'advanced',
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${program} ended with ${code ?? signal}`)
  })
  ended.catch(() => {})
  const answer = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    return message
  }
  await answer()
  return {
    pid: child.pid ?? 0,
    async ask(question) {
      child.send(question as object)
      return (await answer()) as Answer
    },
    async close() {
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
    },
  }
}

/** The other side: answers each question; `close` runs when the starter has gone or wants no more. */
export const servePeer = <Ask, Answer>(
  answer: (question: Ask) => Promise<Answer>,
  close: () => Promise<void>,
): void => {
  if (!process.send) throw new Error('this program is started by a benchmark')
  const send = process.send.bind(process)
  process.on('message', question => {
    answer(question as Ask).then(
      value => send(value),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.once('disconnect', () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
  send(null)
}
