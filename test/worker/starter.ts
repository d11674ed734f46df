// A kind that starts processes in every way there is, and leaves them behind. For the tests of what becomes of them.
import { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { defineKind, type TaskContext } from '../../src/core/kind.ts'

/** `word` stands among the arguments of every process, so that a test finds them. It ends by itself in the end. */
const sleeper = (word: string): string[] => ['-c', 'sleep 600; :', word]
const forever = (): Promise<never> => new Promise(() => {})
/** Where a module says that it runs. */
export const placeOf = (word: string): string => path.join(tmpdir(), word)
const FORKED = fileURLToPath(new URL('./forked.mjs', import.meta.url))

const WAYS: Record<string, (word: string, context: TaskContext) => unknown> = {
  'nothing at all': () => 'done',
  'spawn, and wait for its exit': word =>
    new Promise(done => spawn('sh', sleeper(word)).on('exit', () => done('exited'))),
  'spawn, and end before it': word => {
    spawn('sh', sleeper(word), { stdio: 'ignore' }).unref()
    return 'done'
  },
  'exec a shell with a pipeline': word => {
    exec(`sleep 600 | sh -c 'sleep 600; :' ${word}`)
    return forever()
  },
  'execFile with the mark of another': word => {
    execFile('sh', sleeper(word), { env: { PATH: '/usr/bin:/bin', MADHAVA_ATTEMPT: 'mine' } })
    return forever()
  },
  'fork a module': word => {
    fork(FORKED, [word, placeOf(word)], { execArgv: [], stdio: 'ignore' })
    return forever()
  },
  'block in execSync': word => execSync(`sleep 600; : ${word}`).toString(),
  'block in spawnSync': word => spawnSync('sh', sleeper(word)).status,
  'block, one after another': word => {
    for (;;) spawnSync('sh', sleeper(word))
  },
  'leave a daemon behind a blocking call': word => {
    spawnSync('sh', ['-c', `setsid sh -c 'sleep 600; :' ${word} >/dev/null 2>&1 &`])
    return 'done'
  },
  'detach a grandchild into a session of its own': word => {
    spawn('sh', ['-c', `setsid sh -c 'sleep 600; :' ${word} & exit 0`], { stdio: 'ignore' })
    return forever()
  },
  'leave a member of the group without an environment': word => {
    spawn('sh', ['-c', `env -i sh -c 'sleep 600; :' ${word} & exit 0`], { stdio: 'ignore' })
    return forever()
  },
  'be deaf to SIGTERM': word => {
    spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done', word], { stdio: 'ignore' })
    return forever()
  },
  'spawn in a thread of its own': word => {
    const source = `require('node:child_process').spawn('sh', ${JSON.stringify(sleeper(word))}, { stdio: 'ignore' })`
    new Worker(source, { eval: true })
    return forever()
  },
  'spawn, and throw': word => {
    spawn('sh', sleeper(word), { stdio: 'ignore' }).unref()
    throw new Error('after the spawn')
  },
  'spawn, and exit': word => {
    spawn('sh', sleeper(word), { stdio: 'ignore' })
    process.exit(3)
  },
  'tell what a child sees': () => {
    const [mark, group] = execSync('echo $MADHAVA_ATTEMPT; ps -o pgid= -p $$; echo $$')
      .toString()
      .trim()
      .split('\n')
    return { mark, group: Number(group), pid: process.pid }
  },
  'return what a process prints': () => execFileSync('echo', ['said']).toString(),
}

export default defineKind({
  summary: 'Starts processes, and leaves them behind',
  params: z.strictObject({
    way: z.enum(Object.keys(WAYS) as [string, ...string[]]),
    word: z.string().default('none'),
  }),
  result: z.unknown(),
  example: { way: 'nothing at all', word: 'none' },
  run: ({ way, word }, context) => WAYS[way]?.(word, context),
})
