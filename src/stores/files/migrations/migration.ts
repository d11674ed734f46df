// What a step from one format of the data folder to the next is.
import type { Layout } from '../layout.ts'

/** One thing in the folder that another format has in another way. */
export interface FolderChange {
  /** Inside the data folder. */
  place: string
  /** What happens to it, for people. */
  text: string
  apply(now: Date): Promise<void>
}

export interface FolderMigration {
  /** The format that it leads to. */
  to: number
  /** What it would change, in order. Reads only. */
  find(layout: Layout): Promise<FolderChange[]>
}
