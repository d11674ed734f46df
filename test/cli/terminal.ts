// A real terminal for tests, by tmux: keys go in, and what stands on the screen comes out.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { until } from '../support/until.ts'

export interface Terminal {
  /** Lines on the screen, with what has scrolled away before them. */
  lines(): string[]
  /** The screen alone. */
  screen(): string
  /** Text as it is. */
  type(text: string): void
  /** Names of keys, as tmux calls them: Enter, Tab, C-c. */
  press(...keys: string[]): void
  /** Waits until it is there. */
  shows(text: string | RegExp): Promise<void>
  resize(columns: number, rows: number): void
  /** Of the program, while it runs. */
  pid(): number
  /** Whether the cursor is to be seen, and the other screen is shown. */
  state(): { cursor: boolean; alternate: boolean }
  close(): void
}

/** @param command of the shell that the terminal runs; the terminal stays when it has ended */
export const openTerminal = (
  command: string,
  { env, columns = 80, rows = 24 }: { env: NodeJS.ProcessEnv; columns?: number; rows?: number },
): Terminal => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-tmux-'))
  const socket = path.join(folder, 'socket')
  const tmux = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env,
    })
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  tmux(
    ...['new-session', '-d', '-s', 'it', '-x', String(columns), '-y', String(rows)],
    ...[
      `bash --norc --noprofile -c ${JSON.stringify(command).replaceAll('$', '\\$')}; echo "[ended $?]"; exec cat`,
    ],
  )
  tmux('set-option', '-g', 'history-limit', '10000')
  const capture = (...more: string[]): string => tmux('capture-pane', '-p', '-t', 'it', ...more)
  const lines = (): string[] =>
    capture('-S', '-', '-E', '-')
      .split('\n')
      .map(line => line.trimEnd())
  return {
    lines,
    screen: () => capture(),
    type: text => void tmux('send-keys', '-t', 'it', '-l', '--', text),
    press: (...keys) => void tmux('send-keys', '-t', 'it', ...keys),
    shows: text =>
      until('the terminal shows it', () => {
        const seen = lines().join('\n')
        return typeof text === 'string' ? seen.includes(text) : text.test(seen)
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${text}\n${lines().join('\n').trimEnd()}`)
      }),
    resize: (x, y) => void tmux('resize-window', '-t', 'it', '-x', String(x), '-y', String(y)),
    pid: () => Number(tmux('display-message', '-p', '-t', 'it', '#{pane_pid}')),
    state() {
      const [cursor, alternate] = tmux('display-message', '-p', '-t', 'it', '#{cursor_flag} #{alternate_on}')
        .trim()
        .split(' ')
      return { cursor: cursor === '1', alternate: alternate === '1' }
    },
    close() {
      spawnSync('tmux', ['-S', socket, 'kill-server'], { env })
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
