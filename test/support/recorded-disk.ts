// A disk that records what is done to it, also by the thread that writes state files, and can say what a power cut may
// have left of it.
import fs, { lstatSync, readFileSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { BroadcastChannel, setEnvironmentData } from 'node:worker_threads'
import { createDisk, type Disk } from '../../src/stores/files/disk.ts'
import { type DiskEvent, type DiskStory, tellDisk } from './disk-after-cut.ts'
import { until } from './until.ts'

export interface RecordedDisk {
  disk: Disk
  /** The number of things done so far. */
  step(): number
  /** How many of them were done by a thread. */
  stepsOfThread(): number
  /** Runs `open`; a thread that it starts to write state files is recorded too. */
  withThread<T>(open: () => Promise<T>): Promise<T>
  /** Ends the recording; what was done until now. */
  end(): Promise<DiskStory>
}

type Told = DiskEvent extends infer Event ? (Event extends DiskEvent ? Omit<Event, 'step'> : never) : never

/** What the store does to these past its `Disk`, since no power cut matters to it: claims, and folders of blobs and uploads. */
const isClaim = (file: unknown): boolean => String(file).includes('/claims/')
const isOfBytes = (file: unknown): boolean => /\/(blobs|upload-bytes)\//.test(String(file))

const PRELOAD = new URL('./record-thread.mjs', import.meta.url).href
let recordings = 0

/** One at a time in a process: the calls of `node:fs` are wrapped until `end`. */
export const recordDisk = (): RecordedDisk => {
  const real = createDisk()
  const events: DiskEvent[] = []
  // shared with the thread: what both do has one order
  const steps = new Int32Array(new SharedArrayBuffer(4))
  let [inodes, syncs] = [0, 0]
  const note = (event: Told): void => {
    events.push({ ...event, step: Atomics.add(steps, 0, 1) + 1 } as DiskEvent)
  }
  recordings += 1
  const channelName = `recorded-disk-${recordings}`
  const channel = new BroadcastChannel(channelName)
  channel.unref()
  let ofThread = 0
  channel.onmessage = message => {
    ofThread += 1
    events.push((message as { data: DiskEvent }).data)
  }

  const create = (file: string, ahead = false): string => {
    inodes += 1
    note({ type: 'create', file, inode: String(inodes), ahead })
    return String(inodes)
  }
  const syncing = async <T>(
    paths: readonly string[],
    inode: string | null,
    work: () => Promise<T>,
  ): Promise<T> => {
    syncs += 1
    const id = String(syncs)
    note({ type: 'sync', id, paths, inode })
    const done = await work()
    note({ type: 'synced', id })
    return done
  }

  /** Of the files that are written on. They are only appended to here: nothing tells of what is cut off. */
  const inodeOf = new Map<string, string>()
  const disk: Disk = {
    write(file, data) {
      real.write(file, data)
      note({ type: 'bytes', inode: create(file), bytes: Buffer.from(data) })
    },
    async writeThrough(file, data, mode) {
      const size = await real.writeThrough(file, data, mode)
      const inode = create(file)
      note({ type: 'bytes', inode, bytes: readFileSync(file) })
      await syncing([], inode, async () => {})
      return size
    },
    append(file, ahead) {
      const appender = real.append(file, ahead)
      const inode = create(file, ahead)
      return {
        get size() {
          return appender.size
        },
        append(bytes) {
          appender.append(bytes)
          note({ type: 'bytes', inode, bytes: Buffer.from(bytes) })
        },
        sync: () => syncing([], inode, () => appender.sync()),
        close: () => appender.close(),
      }
    },
    async writeOn(file, offset) {
      const isNew = lstatSync(file, { throwIfNoEntry: false }) === undefined
      const tail = await real.writeOn(file, offset)
      const inode = isNew ? create(file) : inodeOf.get(file)
      if (inode === undefined) throw new Error(`${file} was not made here`)
      inodeOf.set(file, inode)
      return {
        ...tail,
        async append(bytes) {
          await tail.append(bytes)
          note({ type: 'bytes', inode, bytes: Buffer.from(bytes) })
        },
        sync: () => syncing([], inode, () => tail.sync()),
      }
    },
    rename(from, to) {
      real.rename(from, to)
      note({ type: 'rename', from, to })
    },
    link(from, to) {
      const made = real.link(from, to)
      if (made) note({ type: 'link', from, to })
      return made
    },
    symlink(target, file) {
      const made = real.symlink(target, file)
      if (made) note({ type: 'symlink', file, target })
      return made
    },
    unlink(file) {
      real.unlink(file)
      note({ type: 'unlink', file })
    },
    sync: paths => syncing(paths, null, () => real.sync(paths)),
  }

  const { symlinkSync, unlinkSync } = fs
  const { mkdir, rm } = fsPromises
  fs.symlinkSync = (target, file, type) => {
    symlinkSync(target, file, type)
    if (isClaim(file)) note({ type: 'symlink', file: String(file), target: String(target) })
  }
  fs.unlinkSync = file => {
    unlinkSync(file)
    if (isClaim(file)) note({ type: 'unlink', file: String(file) })
  }
  fsPromises.mkdir = (async (...asked: Parameters<typeof mkdir>) => {
    const made = await mkdir(...asked)
    if (isOfBytes(asked[0])) note({ type: 'folder', file: String(asked[0]) })
    return made
  }) as typeof mkdir
  fsPromises.rm = async (...asked) => {
    await rm(...asked)
    if (isOfBytes(asked[0])) note({ type: 'unlink', file: String(asked[0]) })
  }
  syncBuiltinESMExports()

  return {
    disk,
    step: () => Atomics.load(steps, 0),
    stepsOfThread: () => ofThread,
    async withThread(open) {
      const { NODE_OPTIONS } = process.env
      process.env.NODE_OPTIONS = `${NODE_OPTIONS ?? ''} --import=${PRELOAD}`
      setEnvironmentData('recorded-disk', { steps: steps.buffer, channel: channelName })
      try {
        return await open()
      } finally {
        if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS
        else process.env.NODE_OPTIONS = NODE_OPTIONS
        setEnvironmentData('recorded-disk', undefined)
      }
    },
    async end() {
      Object.assign(fs, { symlinkSync, unlinkSync })
      Object.assign(fsPromises, { mkdir, rm })
      syncBuiltinESMExports()
      // what the thread tells comes by way of the event loop
      await until('all that was done is told', () => events.length === Atomics.load(steps, 0))
      channel.close()
      return tellDisk(events)
    },
  }
}
