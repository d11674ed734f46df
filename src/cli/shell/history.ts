// What was typed at the console, kept over its end: for the user alone, and without lines that hold a secret.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { replaceFile } from '../../platform/atomic-file.ts'
import { readPlain } from '../../platform/plain-file.ts'

const MOST = 1_000
const MAX_BYTES = 4 * 1024 * 1024
const LONGEST = 4_000
/** What keys, tokens and invitations look like, and logins in addresses. */
const SECRET = /\bmd[a-z]_[A-Za-z0-9]|\/\/[^/\s]*@|\bbearer\b/i

export const hasSecret = (line: string): boolean => SECRET.test(line)

export interface History {
  /** The newest first, as readline has them. */
  lines(): string[]
  /** Adds a line and keeps it. Never rejects: a history is no reason to end. */
  add(line: string): Promise<void>
}

/** A file that cannot be read or written counts as empty, and stays as it is. */
export const openHistory = async (file: string): Promise<History> => {
  let lines: string[] = []
  let isKept = true
  try {
    const bytes = await readPlain(file, MAX_BYTES)
    lines = (bytes?.toString('utf8') ?? '')
      .split('\n')
      .filter(line => line !== '')
      .reverse()
      .slice(0, MOST)
  } catch {
    isKept = false
  }
  let writing: Promise<void> = Promise.resolve()
  return {
    lines: () => [...lines],
    add(line) {
      if (line.trim() === '' || line.length > LONGEST || line.includes('\n') || hasSecret(line))
        return writing
      lines = [line, ...lines.filter(one => one !== line)].slice(0, MOST)
      const text = `${[...lines].reverse().join('\n')}\n`
      writing = writing.then(async () => {
        if (!isKept) return
        try {
          await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
          await replaceFile(file, text, { mode: 0o600, durable: false })
        } catch {
          isKept = false
        }
      })
      return writing
    },
  }
}
