// Loaded into the thread that writes state files before its own module, where a test records the disk: whatever the
// thread does there is done, gets its number among all that is done, and is told. See recorded-disk.ts.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { BroadcastChannel, getEnvironmentData, threadId } from 'node:worker_threads'

const recording = getEnvironmentData('recorded-disk')
if (recording) {
  const steps = new Int32Array(recording.steps)
  const channel = new BroadcastChannel(recording.channel)
  channel.unref()
  const tell = event => channel.postMessage({ step: Atomics.add(steps, 0, 1) + 1, ...event })

  const { openSync, writeSync, closeSync, renameSync, linkSync, symlinkSync, unlinkSync } = fs
  /** Files that are open for writing. */
  const open = new Map()
  let inodes = 0
  fs.openSync = (file, flags, mode) => {
    const fd = openSync(file, flags, mode)
    if (flags !== 'wx') return fd
    inodes += 1
    open.set(fd, `${threadId} ${inodes}`)
    tell({ type: 'create', file, inode: open.get(fd), ahead: false })
    return fd
  }
  fs.writeSync = (fd, bytes, at, length, ...rest) => {
    const written = writeSync(fd, bytes, at, length, ...rest)
    if (open.has(fd)) tell({ type: 'bytes', inode: open.get(fd), bytes: bytes.slice(at, at + written) })
    return written
  }
  fs.closeSync = fd => {
    open.delete(fd)
    closeSync(fd)
  }
  fs.renameSync = (from, to) => {
    renameSync(from, to)
    tell({ type: 'rename', from, to })
  }
  fs.linkSync = (from, to) => {
    linkSync(from, to)
    tell({ type: 'link', from, to })
  }
  fs.symlinkSync = (target, file) => {
    symlinkSync(target, file)
    tell({ type: 'symlink', file, target })
  }
  fs.unlinkSync = file => {
    unlinkSync(file)
    tell({ type: 'unlink', file })
  }
  syncBuiltinESMExports()
}
