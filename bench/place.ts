// Where a benchmark puts its data, and the words that name the machine, so that no number stands without them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, release, tmpdir } from 'node:os'
import path from 'node:path'

export interface Place {
  /** A folder of this run alone; gone when the process ends. */
  dir: string
  /** Node, kernel, cores, file system: one line. */
  machine: string
}

/** The line of /proc/self/mountinfo that holds `dir`: its file system and device. */
const mountOf = (dir: string): { type: string; device: string } => {
  let best = { at: '', type: 'unknown', device: 'unknown' }
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [left = '', right = ''] = line.split(' - ')
    const at = left.split(' ')[4] ?? ''
    const [type = '', device = ''] = right.split(' ')
    // of several mounts on one path the last one is seen
    const holds = at !== '' && (dir === at || dir.startsWith(at === '/' ? '/' : `${at}/`))
    if (holds && at.length >= best.at.length) best = { at, type, device }
  }
  return best
}

const fileSystem = (dir: string): string => {
  const { type, device } = mountOf(dir)
  if (type !== 'ext4') return `${type} on ${device}`
  // the kernel shows the journal of each mounted ext4 here
  const journal = existsSync(`/proc/fs/jbd2/${path.basename(device)}-8`)
  return `ext4 ${journal ? 'with' : 'without'} a journal on ${device}`
}

/** Makes the folder in `parent`, or in the system's folder for such. */
export const takePlace = (parent: string | undefined): Place => {
  const dir = mkdtempSync(path.join(path.resolve(parent ?? tmpdir()), 'madhava-bench-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0]
  return {
    dir,
    machine: [
      `node ${process.versions.node}`,
      `Linux ${release()}`,
      `${availableParallelism()} cores (load ${load} at the start)`,
      fileSystem(dir),
    ].join(', '),
  }
}
