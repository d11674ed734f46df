// Tells that files of a folder, at any depth, or further files have changed. The only importer of chokidar.
import path from 'node:path'
import { watch } from 'chokidar'

/** Milliseconds without a further event, after which what was written counts as whole. */
const SETTLED_MS = 150
/** Whoever writes all the time is not waited for longer, milliseconds. */
const LONGEST_MS = 2_000

/** What editors, package managers and languages put beside the sources. */
const isNoSource = (file: string): boolean => {
  const name = path.basename(file)
  return /^\.|~$/.test(name) || ['node_modules', '__pycache__'].includes(name)
}

export interface WatchedFiles {
  /** Watches these too, in place of those of the last call. Files that are not there yet are told when they come. */
  alsoWatch(files: readonly string[]): void
  /** Idempotent. */
  close(): Promise<void>
}

/**
 * Resolves when the folder is watched. It may not be there yet.
 * @param ignores files by their names, beside dotfiles, copies that end in `~`, `node_modules` and `__pycache__`
 * @param onChange called when writes have settled, once for all of them
 */
export const watchFiles = async (
  folder: string,
  deps: { ignores: (name: string) => boolean; onChange: () => void; onError: (error: unknown) => void },
): Promise<WatchedFiles> => {
  const { ignores, onChange, onError } = deps
  const top = path.resolve(folder)
  let also: readonly string[] = []
  const watcher = watch(top, {
    ignoreInitial: true,
    ignored: file => {
      const resolved = path.resolve(file)
      if (resolved === top || also.includes(resolved)) return false
      return isNoSource(resolved) || ignores(path.basename(resolved))
    },
  })

  let timer: NodeJS.Timeout | null = null
  let firstAt = 0
  const tell = (): void => {
    timer = null
    onChange()
  }
  const changed = (): void => {
    const now = performance.now()
    if (timer === null) firstAt = now
    else clearTimeout(timer)
    const waitMs = Math.max(0, Math.min(SETTLED_MS, firstAt + LONGEST_MS - now))
    timer = setTimeout(tell, waitMs).unref()
  }
  watcher.on('all', changed)
  watcher.on('error', onError)
  await new Promise<void>(resolve => {
    watcher.once('ready', () => resolve())
  })

  return {
    alsoWatch(files) {
      const wanted = [...new Set(files.map(file => path.resolve(file)))]
      const [gone, added] = [
        also.filter(file => !wanted.includes(file)),
        wanted.filter(file => !also.includes(file)),
      ]
      also = wanted
      if (gone.length > 0) watcher.unwatch(gone)
      if (added.length > 0) watcher.add(added)
    },
    async close() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      await watcher.close()
    },
  }
}
