// What a disk may hold after a power cut, given all that was done to it: what was synced is there; of the rest each
// change of a folder may be missing, and each content whole, cut or empty.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** One thing that was done, with its place among all of them. */
export type DiskEvent = { step: number } /** `ahead`: the file is longer than what stands in it. */ & (
  | { type: 'create'; file: string; inode: string; ahead: boolean }
  | { type: 'bytes'; inode: string; bytes: Uint8Array }
  | { type: 'rename'; from: string; to: string }
  | { type: 'link'; from: string; to: string }
  | { type: 'symlink'; file: string; target: string }
  | { type: 'folder'; file: string }
  /** Also a folder with all that is in it. */
  | { type: 'unlink'; file: string }
  /** What comes between the begin of a sync and its end is not sure to be in it. */
  | { type: 'sync'; id: string; paths: readonly string[]; inode: string | null }
  | { type: 'synced'; id: string }
)

interface Sync {
  begun: number
  ended: number
}

/** A file's content over time. */
interface Inode {
  chunks: { step: number; bytes: Buffer }[]
  syncs: Sync[]
  ahead: boolean
}

type Target = Inode | { symlink: string } | 'folder'
/** One atomic change of folders: names taken away, then names given. */
interface Change {
  step: number
  gone: string[]
  made: [name: string, target: Target][]
}

/** A piece written over NUL bytes: whole, not at all, or cut on one of its sides. */
const partly = (piece: Buffer, random: () => number): Buffer => {
  const left = Buffer.from(piece)
  const luck = random()
  const cut = Math.floor(piece.length * random())
  if (luck < 0.3) left.fill(0)
  else if (luck < 0.5) left.fill(0, cut)
  else if (luck < 0.7) left.fill(0, 0, cut)
  return left
}

const contentAt = (inode: Inode, at: number, random: () => number): Buffer => {
  const sure = Math.max(0, ...inode.syncs.filter(({ ended }) => ended <= at).map(({ begun }) => begun))
  const chunks = inode.chunks.filter(chunk => chunk.step <= at)
  const kept = Buffer.concat(chunks.filter(chunk => chunk.step < sure).map(chunk => chunk.bytes))
  const pieces = chunks.filter(chunk => chunk.step >= sure).map(chunk => chunk.bytes)
  // what was not synced may be there or not, each piece by itself
  if (inode.ahead)
    return Buffer.concat([kept, ...pieces.map(piece => partly(piece, random)), Buffer.alloc(5_000)])
  const rest = Buffer.concat(pieces)
  const luck = random()
  const more = luck < 0.4 ? rest.length : luck < 0.7 ? 0 : Math.floor(rest.length * random())
  return Buffer.concat([kept, rest.subarray(0, more)])
}

export interface DiskStory {
  /** Writes under `to` what a disk that stood under `from` may have kept at `step`; `random` gives 0 to 1. */
  leave(step: number, from: string, to: string, random: () => number): void
}

/** @throws Error for what was done to a file that was not made within these events */
export const tellDisk = (events: readonly DiskEvent[]): DiskStory => {
  const changes: Change[] = []
  const folderSyncs = new Map<string, Sync[]>()
  const inodes = new Map<string, Inode>()
  const names = new Map<string, Target>()
  const folders = new Set<string>()
  const pending = new Map<string, (ended: number) => void>()

  const change = (step: number, gone: string[], made: [string, Target][]): void => {
    for (const name of gone) names.delete(name)
    for (const [name, target] of made) names.set(name, target)
    changes.push({ step, gone, made })
  }
  const must = <T>(found: T | undefined, what: string): T => {
    if (found === undefined) throw new Error(`${what} was not made here`)
    return found
  }

  for (const event of [...events].sort((a, b) => a.step - b.step)) {
    const { step } = event
    if (event.type === 'create') {
      const inode: Inode = { chunks: [], syncs: [], ahead: event.ahead }
      inodes.set(event.inode, inode)
      change(step, [], [[event.file, inode]])
    } else if (event.type === 'bytes')
      must(inodes.get(event.inode), event.inode).chunks.push({ step, bytes: Buffer.from(event.bytes) })
    else if (event.type === 'rename')
      change(step, [event.from], [[event.to, must(names.get(event.from), event.from)]])
    else if (event.type === 'link') change(step, [], [[event.to, must(names.get(event.from), event.from)]])
    else if (event.type === 'symlink') change(step, [], [[event.file, { symlink: event.target }]])
    else if (event.type === 'folder') {
      folders.add(event.file)
      change(step, [], [[event.file, 'folder']])
    } else if (event.type === 'unlink') {
      const { file } = event
      const gone = [...names.keys()].filter(name => name === file || name.startsWith(`${file}/`))
      change(step, [file, ...gone.filter(name => name !== file)], [])
    } else if (event.type === 'sync') {
      const own = event.inode === null ? undefined : inodes.get(event.inode)
      const touched = [own, ...event.paths.map(file => names.get(file))].flatMap(target =>
        typeof target === 'object' && 'syncs' in target ? [target] : [],
      )
      pending.set(event.id, ended => {
        for (const inode of touched) inode.syncs.push({ begun: step, ended })
        for (const file of event.paths)
          folderSyncs.set(file, [...(folderSyncs.get(file) ?? []), { begun: step, ended }])
      })
    } else if (event.type === 'synced') must(pending.get(event.id), event.id)(step)
  }

  const isSynced = (name: string, changed: number, at: number): boolean =>
    (folderSyncs.get(path.dirname(name)) ?? []).some(({ begun, ended }) => begun > changed && ended <= at)
  const hasFolders = (name: string, kept: ReadonlyMap<string, Target>): boolean => {
    const folder = path.dirname(name)
    return !folders.has(folder) || (kept.has(folder) && hasFolders(folder, kept))
  }

  return {
    leave(at, from, to, random) {
      const kept = new Map<string, Target>()
      for (const { step, gone, made } of changes) {
        if (step > at) break
        const sure = [...gone, ...made.map(([name]) => name)].some(name => isSynced(name, step, at))
        if (!sure && random() < 0.5) continue
        for (const name of gone) kept.delete(name)
        for (const [name, target] of made) kept.set(name, target)
      }
      for (const [name, target] of kept) {
        if (!hasFolders(name, kept)) continue
        const file = path.join(to, path.relative(from, name))
        mkdirSync(target === 'folder' ? file : path.dirname(file), { recursive: true })
        if (target === 'folder') continue
        if ('symlink' in target) symlinkSync(target.symlink, file)
        else writeFileSync(file, contentAt(target, at, random))
      }
    },
  }
}
