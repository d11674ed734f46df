// Asks a process of its own about files of kinds, and starts another where a file has ended it. What a file does to that
// process is an answer like any other.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Json } from '../core/task.ts'
import { createOutputTail } from '../platform/output-tail.ts'
import type { Answer, CheckedKind, Question } from './check-child.ts'

export type { CheckedKind } from './check-child.ts'

export interface KindChecker {
  /** Never rejects: what is wrong is the answer. */
  load(file: string): Promise<{ kind: CheckedKind } | { trouble: string }>
  /** Of each params why they do not fit the kind of a file that was loaded; null: they do. */
  fits(file: string, params: Json[]): Promise<(string | null)[]>
  /** Idempotent. */
  close(): void
}

/** A server gives an import ten seconds, and --describe as many. */
const ANSWER_MS = 15_000
const LAST = { lines: 3, length: 200, bytes: 4096 }

const isModule = (file: string): boolean => /\.m?[tj]s$/.test(file)

/** Built, also for the tests of this repository: the loader of their TypeScript is not a server's. */
const PROGRAM = fileURLToPath(new URL('../../dist/authoring/check-child.js', import.meta.url))

export const createKindChecker = ({ answerMs = ANSWER_MS }: { answerMs?: number } = {}): KindChecker => {
  let child: ChildProcess | null = null
  let errors = createOutputTail(LAST.bytes, () => {})
  let isClosed = false
  /** A program is asked by the process with --describe, which ends it in time; a module may hang there for ever. */
  let asksProgram = false

  const giveUp = (): void => {
    if (asksProgram) child?.disconnect()
    else child?.kill('SIGKILL')
    child = null
  }

  const start = (): ChildProcess => {
    const tail = createOutputTail(LAST.bytes, () => {})
    // what the files print must not get among what the console prints
    const started = fork(PROGRAM, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    started.stderr?.on('data', (bytes: Buffer) => tail.add(bytes))
    started.on('exit', () => {
      if (child === started) child = null
    })
    errors = tail
    return started
  }

  const ask = async (question: Question): Promise<Answer> => {
    if (isClosed) throw new Error('the checker is closed')
    child ??= start()
    const asked = child
    asksProgram = !isModule('load' in question ? question.load : question.fits)
    let late: NodeJS.Timeout | undefined
    let listen: ((answer: Answer) => void) | undefined
    let ended: (() => void) | undefined
    try {
      return await new Promise<Answer>(resolve => {
        listen = answer => {
          if (!('begun' in answer)) return resolve(answer)
          // only from here on, since a process takes a while to start
          late = setTimeout(() => {
            resolve({
              trouble: `there is no answer after ${answerMs / 1000} s: does it wait or compute for ever?`,
            })
            giveUp()
          }, answerMs)
        }
        ended = () => {
          errors.end()
          const how = asked.signalCode ?? `exit code ${asked.exitCode}`
          const said = errors.lastLines(LAST.lines, LAST.length).join(' ')
          resolve({
            trouble: `it ends the process that loads it, with ${how}${said === '' ? '' : `: ${said}`}`,
          })
        }
        asked.on('message', listen)
        asked.once('close', ended)
        asked.once('error', ended)
        asked.send(question, () => {})
      })
    } finally {
      clearTimeout(late)
      if (listen) asked.off('message', listen)
      if (ended) asked.off('close', ended).off('error', ended)
    }
  }

  return {
    async load(file) {
      const answer = await ask({ load: file })
      if ('kind' in answer || 'trouble' in answer) return answer
      return { trouble: 'it could not be tried' }
    },
    async fits(file, params) {
      const answer = await ask({ fits: file, params })
      if ('reasons' in answer) return answer.reasons
      const reason = 'trouble' in answer ? answer.trouble : 'it could not be tried'
      return params.map(() => reason)
    },
    close() {
      isClosed = true
      giveUp()
    },
  }
}
