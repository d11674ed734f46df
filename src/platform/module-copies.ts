// The mirrors of this process, one for each reading of its modules (platform/module-mirror.ts), in a folder of its own
// beside the folders of attempts. It goes with the process; what a killed one has left is swept by the next.
import { mkdir, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Log } from './log.ts'
import { createModuleMirror, MirrorError, type ModuleMirror } from './module-mirror.ts'
import { claimFolder, removeQuietly, sweepFolders } from './owned-folder.ts'

export interface Mirror extends ModuleMirror {
  /** Removes it. Never rejects. */
  remove(): Promise<void>
}

export interface ModuleCopies {
  /** A mirror with nothing in it. @throws MirrorError */
  open(): Promise<Mirror>
  /** A text for people or logs, with the originals' paths in place of the copies'. */
  plain(text: string): string
  /** The same for an error's message and stack; it is changed. */
  plainError(error: unknown): unknown
  /** Removes what dead processes have left. Never rejects. */
  sweep(): Promise<void>
  /** Removes all of this process. Idempotent; never rejects. */
  close(): Promise<void>
}

const PREFIX = 'kinds-'
/** The process that a folder of copies belongs to, by its name; other names stay as they are. */
export const ownerOfCopies = (name: string): string =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name

const TOUCH_MS = 60_000

export const createModuleCopies = (deps: {
  /** Where attempts have their folders, too. */
  dir: string
  /** This process, and the names of those that live. */
  instance: string
  living: () => Promise<ReadonlySet<string>>
  /** Identifies the store (platform/process-mark.ts). */
  storeId: string
  clock: () => Date
  log: Log
}): ModuleCopies => {
  const { dir, instance, living, storeId, clock, log } = deps
  const own = path.resolve(dir, `${PREFIX}${instance}`)
  let numbers = 0
  let texts: RegExp | null = null
  let toldNoexec = false
  let toucher: NodeJS.Timeout | undefined
  let closed: Promise<void> | null = null

  const claim = (): Promise<void> => claimFolder(own, storeId, clock())
  const quote = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  /** Where stacks name a file by its URL, the folder is written in another way. */
  const textsOf = (folder: string): RegExp => {
    const asUrl = encodeURI(folder).replaceAll('?', '%3F').replaceAll('#', '%23')
    const ways = [...new Set([folder, asUrl])].map(quote)
    return new RegExp(`(?:${ways.join('|')})/\\d+(?=/)`, 'g')
  }

  const plain = (text: string): string => (texts === null ? text : text.replace(texts, ''))

  return {
    async open() {
      let root: string
      try {
        await claim()
        const real = await realpath(own)
        texts ??= textsOf(real)
        numbers += 1
        root = path.join(real, String(numbers))
        await mkdir(root, { mode: 0o700 })
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        throw new MirrorError(
          `the files of kinds cannot be copied into the data folder (${code ?? message})`,
          error,
        )
      }
      toucher ??= setInterval(
        () => void claim().catch((error: unknown) => log.debug({ error }, 'a folder could not be touched')),
        TOUCH_MS,
      ).unref()
      const mirror = createModuleMirror(root, {
        onNotExecutable(file) {
          if (toldNoexec) return
          toldNoexec = true
          log.warn(
            { file, folder: own },
            'programs cannot be executed in the data folder; they run where they lie, as they are then',
          )
        },
      })
      return { ...mirror, remove: () => removeQuietly(root, log) }
    },
    plain,
    plainError(error) {
      if (!(error instanceof Error)) return error
      try {
        const { message, stack } = error
        error.message = plain(message)
        if (stack !== undefined) error.stack = plain(stack)
      } catch {
        // a kind's own error may allow neither
      }
      return error
    },
    async sweep() {
      try {
        await sweepFolders({
          dir,
          isOther: name => name.startsWith(PREFIX) && ownerOfCopies(name) !== instance,
          living,
          ownerOf: ownerOfCopies,
          now: clock(),
          log,
        })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          log.debug({ error }, 'the copies of kinds could not be looked at')
      }
    },
    close() {
      clearInterval(toucher)
      closed ??= removeQuietly(own, log)
      return closed
    },
  }
}
