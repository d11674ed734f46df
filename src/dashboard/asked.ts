// Who asked last for a start, stop or restart of each process. Kept beside PM2's own files, which a start of the bundle
// makes anew, so that a dashboard that restarted itself still knows.
import path from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../platform/atomic-file.ts'
import { readPlain } from '../platform/plain-file.ts'

const askedSchema = z.object({
  action: z.string().max(20),
  by: z.string().max(200),
  /** Milliseconds since 1970. */
  at: z.number(),
})
export type Asked = z.infer<typeof askedSchema>

export interface AskedBy {
  /** Never rejects: an action is not refused because a note about it cannot be written. */
  note(names: readonly string[], asked: Asked): Promise<void>
  /** By the name of the process. */
  all(): Promise<Readonly<Record<string, Asked>>>
}

const MAX_BYTES = 256 * 1024

/** @param folder PM2's own, private */
export const openAskedBy = (folder: string): AskedBy => {
  const file = path.join(folder, 'asked.json')
  let known: Promise<Map<string, Asked>> | null = null
  const read = async (): Promise<Map<string, Asked>> => {
    try {
      const bytes = await readPlain(file, MAX_BYTES)
      return new Map(Object.entries(z.record(z.string(), askedSchema).parse(JSON.parse(String(bytes)))))
    } catch {
      return new Map()
    }
  }
  const load = (): Promise<Map<string, Asked>> => {
    known ??= read()
    return known
  }

  return {
    async note(names, asked) {
      const all = await load()
      for (const name of names) all.set(name, asked)
      await replaceFile(file, JSON.stringify(Object.fromEntries(all)), { mode: 0o600 }).catch(() => {
        // this process knows it all the same
      })
    },
    all: async () => Object.fromEntries(await load()),
  }
}
