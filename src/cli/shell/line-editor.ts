// The prompt: lines with history and completion, and notices that appear above what is being typed and never in it.
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Machine } from '../environment.ts'
import type { Screen } from '../terminal/screen.ts'
import { hasSecret } from './history.ts'

export interface LineEditor {
  /** The next line; null: there are no more. The prompt is shown meanwhile. */
  read(): Promise<string | null>
  /** Lines above the prompt, now or as soon as there is a prompt again. */
  notice(text: string): void
  /** Lets somebody else read the terminal. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** Idempotent. `read` answers null from now on. */
  close(): void
}

export interface LineEditorOptions {
  input: Machine['input']
  screen: Screen
  prompt(): string
  history: string[]
  /** @returns what the end of the line may become, and that end */
  complete(line: string): Promise<[string[], string]>
  /** Ctrl-C while a command runs. */
  onInterrupt(): void
}

/** readline keeps the row of the cursor below the prompt here; after lines of ours it is the first one. */
type Rows = { prevRows: number }

export const createLineEditor = (options: LineEditorOptions): LineEditor => {
  const { input, screen, prompt, complete, onInterrupt } = options
  let { history } = options
  /** A prompt is shown, and what is typed with it. */
  let isShown = false
  let isAlone = false
  let isOver = false
  let typed = ''
  const notices: string[] = []
  /** Typed while a command ran. */
  const lines: string[] = []
  let waiting: ((line: string | null) => void) | null = null
  let rl: Interface | null = null

  const put = (text: string): void => void screen.write(text).catch(() => {})
  /** What readline draws is seen only while there is a prompt: what is typed ahead would stand among the output. */
  const output = new Proxy(screen.stream as unknown as Writable, {
    get(target, name) {
      const found = Reflect.get(target, name) as unknown
      if (name === 'write')
        return (...parts: Parameters<Writable['write']>) => (isShown ? target.write(...parts) : true)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })

  const open = (): Interface => {
    const made = createInterface({
      input: input as Readable,
      output,
      terminal: true,
      history: [...history],
      historySize: 1_000,
      removeHistoryDuplicates: true,
      prompt: prompt(),
      completer: (line: string, callback: (error: null, result: [string[], string]) => void) => {
        complete(line).then(
          // what was typed in the same moment as Tab has changed the line
          found => callback(null, made.line.slice(0, made.cursor) === line ? found : [[], line]),
          () => callback(null, [[], line]),
        )
      },
    })
    made.on('history', now => {
      // the array is readline's own: what is taken out is not there by the arrows either
      if (now[0] !== undefined && hasSecret(now[0])) now.shift()
      history = now
    })
    made.on('line', line => {
      if (waiting) answer(line)
      else lines.push(line)
    })
    made.on('SIGINT', () => {
      if (!isShown) return onInterrupt()
      // as in other shells: the line is given up
      put('^C\n')
      made.write(null, { ctrl: true, name: 'e' })
      made.write(null, { ctrl: true, name: 'u' })
      show()
    })
    made.on('close', () => {
      if (rl !== made) return
      rl = null
      isOver = true
      if (isShown) put('\n')
      if (waiting) answer(null)
    })
    return made
  }

  const answer = (line: string | null): void => {
    const give = waiting
    waiting = null
    isShown = false
    give?.(line)
  }
  /** Draws the prompt on a fresh line, with what is typed. */
  const show = (): void => {
    if (!rl) return
    isShown = true
    ;(rl as unknown as Rows).prevRows = 0
    rl.setPrompt(prompt())
    rl.prompt(true)
  }
  const tellAll = (): void => {
    if (notices.length > 0) put(`${notices.splice(0).join('\n')}\n`)
  }

  rl = open()
  return {
    read() {
      if (isOver) return Promise.resolve(null)
      tellAll()
      return new Promise(resolve => {
        const ahead = lines.shift()
        if (ahead !== undefined) {
          put(`${prompt()}${ahead}\n`)
          resolve(ahead)
          return
        }
        waiting = resolve
        if (!rl) rl = open()
        if (typed !== '') {
          const text = typed
          typed = ''
          rl.write(text)
        }
        show()
      })
    },
    notice(text) {
      notices.push(text)
      if (!isShown || !rl || isAlone) return
      const { rows } = rl.getCursorPos()
      // one write, so that nothing comes in between: up to the prompt, away with it, the notice, and the prompt again
      put(`\r${rows > 0 ? `\u001b[${rows}A` : ''}\u001b[J`)
      tellAll()
      show()
    },
    async alone(work) {
      const before = rl
      isAlone = true
      isShown = false
      rl = null
      typed += before?.line ?? ''
      before?.close()
      try {
        return await work()
      } finally {
        isAlone = false
        if (!isOver) rl = open()
      }
    },
    close() {
      const before = rl
      rl = null
      isOver = true
      isShown = false
      before?.close()
      if (waiting) answer(null)
    },
  }
}
