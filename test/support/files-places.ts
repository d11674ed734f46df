// Where a bundle keeps its tasks and files, as the test of killed processes looks at it: past the store, at the files
// of the data folder or the keys of Redis.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Redis } from 'ioredis'
import type { TaskRecord } from '../../src/core/task.ts'
import { isWorkerDead, readMark } from '../../src/platform/process-mark.ts'
import type { PrivateRedis } from './redis.ts'

export interface FilesPlace {
  /** Settings of the bundle. */
  settings: Record<string, string>
  records(): Promise<TaskRecord[]>
  /** What stands there of files, also half written, and what the records name; as words of one form. */
  standing(): Promise<{ there: string[]; wanted: string[] }>
  /** Pids of a role's processes, also dead ones. */
  pidsOf(role: string): Promise<number[]>
  close(): Promise<void>
}

/** Every file below a folder of the data folder, by its path in it. */
const filesIn = (dataDir: string, folder: string): string[] => {
  const top = path.join(dataDir, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(dataDir, path.join(entry.parentPath, entry.name)))
}
/** Whether the process lives that has made a folder of copies of the kinds. */
const hasOwner = (dataDir: string, folder: string): boolean => {
  try {
    const [word = ''] = readFileSync(path.join(dataDir, folder, 'owner'), 'utf8').split('\n')
    const mark = readMark(word)
    return mark !== null && !isWorkerDead(mark)
  } catch {
    // it is being removed
    return false
  }
}
/** Of folders of attempts, and copies of kinds that a killed process has left. */
const scratchIn = (dataDir: string): string[] =>
  filesIn(dataDir, 'scratch')
    // who has the folder, as long as that process lives
    .filter(file => path.basename(file) !== 'owner')
    .filter(file => {
      const [copies] = /^scratch\/kinds-[^/]+/.exec(file) ?? []
      return copies === undefined || !hasOwner(dataDir, copies)
    })

const uploadOf = ({ params }: TaskRecord): string =>
  (params as { file?: { $upload?: string } }).file?.$upload ?? ''

interface Presence {
  role: string
  pid: number
}
const pidsOfRole = (texts: readonly string[], role: string): number[] =>
  texts
    .flatMap(text => {
      try {
        return [JSON.parse(text) as Presence]
      } catch {
        // it is being written
        return []
      }
    })
    .filter(presence => presence.role === role)
    .map(({ pid }) => pid)

export const placeOfFiles = (dataDir: string): FilesPlace => {
  const records = async (): Promise<TaskRecord[]> =>
    filesIn(dataDir, 'tasks')
      .filter(file => file.endsWith('.json'))
      .map(file => JSON.parse(readFileSync(path.join(dataDir, file), 'utf8')) as TaskRecord)
  return {
    settings: {},
    records,
    async standing() {
      const wanted = (await records()).flatMap(task => {
        const upload = uploadOf(task)
        return [
          ...(task.artifacts ?? []).map(({ file }) => path.join('blobs', task.id.slice(-2), task.id, file)),
          path.join('upload-bytes', upload.slice(-2), upload),
          path.join('uploads', `${upload}.json`),
          path.join('upload-uses', `${upload}.${task.id}.json`),
        ]
      })
      const there = [
        ...filesIn(dataDir, 'blobs').filter(
          file => path.basename(file).startsWith('artifact.') || file.endsWith('.tmp'),
        ),
        ...['upload-bytes', 'uploads', 'upload-uses'].flatMap(folder => filesIn(dataDir, folder)),
        ...scratchIn(dataDir),
      ]
      return { there, wanted }
    },
    async pidsOf(role) {
      const files = filesIn(dataDir, 'run').filter(file => file.endsWith('.json'))
      const texts = files.flatMap(file => {
        try {
          return [readFileSync(path.join(dataDir, file), 'utf8')]
        } catch {
          // it has gone meanwhile
          return []
        }
      })
      return pidsOfRole(texts, role)
    },
    async close() {},
  }
}

/** `dataDir`: the folders of attempts are there too. */
export const placeOfRedis = (redis: PrivateRedis, dataDir: string): FilesPlace => {
  const client = new Redis(redis.url)
  const prefix = 'files-test'
  const key = (name: string): string => `${prefix}:${name}`
  /** Without the prefix. */
  const keysOf = async (beginning: string): Promise<string[]> =>
    (await client.keys(key(`${beginning}:*`))).map(name => name.slice(prefix.length + 1))
  const fieldsOf = async (hash: string): Promise<string[]> =>
    (await client.hkeys(key(hash))).map(field => `${hash} ${field}`)
  const records = async (): Promise<TaskRecord[]> => {
    const keys = await keysOf('task')
    const texts = keys.length === 0 ? [] : await client.mget(keys.map(key))
    return texts.flatMap(text => (text === null ? [] : [JSON.parse(text) as TaskRecord]))
  }
  return {
    settings: { STORE_URL: redis.url, STORE_PREFIX: prefix },
    records,
    async standing() {
      const wanted: string[] = []
      for (const task of await records()) {
        const upload = uploadOf(task)
        wanted.push(`upload:${upload}`, `uploads ${upload}`, `uploadIds ${upload}`)
        wanted.push(`documents:uploads ${upload}`, `documents:upload-uses ${upload}.${task.id}`)
        for (const { file } of task.artifacts ?? []) {
          const blob = await client.hget(key(`blobs:${task.id}`), file)
          wanted.push(`blobs:${task.id} ${file}`, `bytes:${task.id}:${file}:${blob?.split(' ')[0]}`)
        }
      }
      const blobs = await keysOf('blobs')
      const named = await Promise.all(blobs.map(fieldsOf))
      const bytes = await keysOf('bytes')
      const ofArtifacts = (word: string): boolean => /^(blobs|bytes):[^: ]+[: ]artifact\./.test(word)
      const ids = await client.zrange(key('uploadIds'), '0', '-1')
      const there = [
        ...[...named.flat(), ...bytes].filter(ofArtifacts),
        ...(await keysOf('upload')),
        ...(await fieldsOf('uploads')),
        ...ids.map(id => `uploadIds ${id}`),
        ...(await fieldsOf('documents:uploads')),
        ...(await fieldsOf('documents:upload-uses')),
        ...scratchIn(dataDir),
      ]
      return { there, wanted }
    },
    pidsOf: async role => pidsOfRole(await client.hvals(key('presences')), role),
    async close() {
      client.disconnect()
    },
  }
}
