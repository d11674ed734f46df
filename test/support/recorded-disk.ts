// A disk that records what is done to it, and can say what a power cut may have left of it: what was synced is there;
// of the rest each change of a folder may be missing, and each content whole, cut or empty.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createDisk, type Disk } from '../../src/stores/files/disk.ts'

/** A file's content over time: what was appended, and how much of it was synced at which step. */
interface Inode {
  chunks: { step: number; bytes: Buffer }[]
  syncedAt: number[]
  /** The file is longer than what stands in it: what was not synced may be there or not, each piece by itself. */
  ahead: boolean
}

type Target = Inode | { symlink: string }
/** One atomic change of folders: names taken away, then names given. */
interface Change {
  step: number
  gone: string[]
  made: [name: string, target: Target][]
}

export interface RecordedDisk {
  disk: Disk
  /** The number of things done so far. */
  step(): number
  /** Writes under `to` what the disk may have kept at `step`; `random` gives 0 to 1. */
  leave(step: number, from: string, to: string, random: () => number): void
}

export const recordDisk = (): RecordedDisk => {
  const real = createDisk()
  let step = 0
  const changes: Change[] = []
  const folderSyncs = new Map<string, number[]>()
  const inodes = new Map<string, Inode>()

  const change = (gone: string[], made: [string, Target][]): void => {
    step += 1
    changes.push({ step, gone, made })
  }
  const note = (target: Inode, bytes: string | Uint8Array): void => {
    step += 1
    target.chunks.push({ step, bytes: Buffer.from(bytes) })
  }
  const newInode = (file: string, ahead = false): Inode => {
    const inode: Inode = { chunks: [], syncedAt: [], ahead }
    inodes.set(file, inode)
    change([], [[file, inode]])
    return inode
  }
  const inodeOf = (file: string): Inode => {
    const inode = inodes.get(file)
    if (!inode) throw new Error(`${file} was not made here`)
    return inode
  }

  const disk: Disk = {
    write(file, data) {
      real.write(file, data)
      note(newInode(file), data)
    },
    async writeThrough(file, data) {
      const size = await real.writeThrough(file, data)
      const inode = newInode(file)
      note(inode, readFileSync(file))
      step += 1
      inode.syncedAt.push(step)
      return size
    },
    append(file, ahead) {
      const appender = real.append(file, ahead)
      const inode = newInode(file, ahead)
      return {
        get size() {
          return appender.size
        },
        append(bytes) {
          appender.append(bytes)
          note(inode, bytes)
        },
        async sync() {
          await appender.sync()
          step += 1
          inode.syncedAt.push(step)
        },
        close: () => appender.close(),
      }
    },
    rename(from, to) {
      real.rename(from, to)
      const inode = inodeOf(from)
      inodes.delete(from)
      inodes.set(to, inode)
      change([from], [[to, inode]])
    },
    link(from, to) {
      const made = real.link(from, to)
      if (!made) return false
      inodes.set(to, inodeOf(from))
      change([], [[to, inodeOf(from)]])
      return true
    },
    symlink(target, file) {
      const made = real.symlink(target, file)
      if (made) change([], [[file, { symlink: target }]])
      return made
    },
    unlink(file) {
      real.unlink(file)
      inodes.delete(file)
      change([file], [])
    },
    async sync(paths) {
      const touched = paths.map(file => inodes.get(file))
      await real.sync(paths)
      step += 1
      for (const [n, file] of paths.entries()) {
        touched[n]?.syncedAt.push(step)
        folderSyncs.set(file, [...(folderSyncs.get(file) ?? []), step])
      }
    },
  }

  const isSynced = (name: string, changed: number, at: number): boolean =>
    (folderSyncs.get(path.dirname(name)) ?? []).some(sync => sync > changed && sync <= at)

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
    const sure = Math.max(0, ...inode.syncedAt.filter(sync => sync <= at))
    const chunks = inode.chunks.filter(chunk => chunk.step <= at)
    const kept = Buffer.concat(chunks.filter(chunk => chunk.step < sure).map(chunk => chunk.bytes))
    const pieces = chunks.filter(chunk => chunk.step >= sure).map(chunk => chunk.bytes)
    if (inode.ahead)
      return Buffer.concat([kept, ...pieces.map(piece => partly(piece, random)), Buffer.alloc(5_000)])
    const rest = Buffer.concat(pieces)
    const luck = random()
    const more = luck < 0.4 ? rest.length : luck < 0.7 ? 0 : Math.floor(rest.length * random())
    return Buffer.concat([kept, rest.subarray(0, more)])
  }

  return {
    disk,
    step: () => step,
    leave(at, from, to, random) {
      const names = new Map<string, Target>()
      for (const { step: changed, gone, made } of changes) {
        if (changed > at) break
        const sure = [...gone, ...made.map(([name]) => name)].some(name => isSynced(name, changed, at))
        if (!sure && random() < 0.5) continue
        for (const name of gone) names.delete(name)
        for (const [name, target] of made) names.set(name, target)
      }
      for (const [name, target] of names) {
        const file = path.join(to, path.relative(from, name))
        mkdirSync(path.dirname(file), { recursive: true })
        if ('symlink' in target) symlinkSync(target.symlink, file)
        else writeFileSync(file, contentAt(target, at, random))
      }
    },
  }
}
