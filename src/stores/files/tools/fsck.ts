// Checks a data folder, and repairs it if asked. The check works while a bundle runs: what seems wrong is checked
// again before it is reported. A repair needs the folder to itself, and never deletes a record or a blob.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait, setImmediate as yieldToOthers } from 'node:timers/promises'
import { MadhavaError } from '../../../core/errors.ts'
import { silentLog } from '../../../platform/log.ts'
import { storeError } from '../errno.ts'
import { lockFolder } from '../folder-lock.ts'
import { DOCUMENTS_FORMAT, refuseLaterFormat } from '../format.ts'
import { createLayout, type Layout } from '../layout.ts'
import { openFilesStore } from '../open.ts'
import { checksOf } from './fsck-checks.ts'
import type { FsckCheck, FsckFinding } from './fsck-findings.ts'

/** A confirmed finding. `mended` says how it was repaired; null if it was left as it is. */
export interface ToldFinding extends Pick<FsckFinding, 'code' | 'place' | 'text'> {
  mended: string | null
}

export interface CheckOptions {
  dir: string
  clock: () => Date
  repair: boolean
  /** How long a state that may pass is given before the second check, milliseconds. Default 2,000. */
  settleMs?: number
  onFinding: (finding: ToldFinding) => void
}

export interface CheckSummary {
  tasks: number
  blobs: number
  documents: number
  findings: number
  mended: number
}

const SETTLE_MS = 2_000
/** After so many checks, other work of the process gets a turn. */
const BATCH = 500

/** @throws STORE_UNAVAILABLE when there is no data folder */
export const mustBeDataFolder = (layout: Layout): void => {
  if (existsSync(layout.tasks)) return
  throw new MadhavaError('STORE_UNAVAILABLE', 'This is not a data folder: there is no folder tasks in it')
}

const tell = ({ code, place, text }: FsckFinding, mended: string | null): ToldFinding => ({
  code,
  place,
  text,
  mended,
})

/** Runs every check once; returns those that found something. */
const lookOver = async (checks: Iterable<FsckCheck>): Promise<FsckCheck[]> => {
  const found: FsckCheck[] = []
  let count = 0
  for (const check of checks) {
    if (await check()) found.push(check)
    count += 1
    if (count % BATCH === 0) await yieldToOthers()
  }
  return found
}

const mendIfPossible = async (check: FsckCheck, finding: FsckFinding): Promise<string | null> => {
  if (!finding.mend) return null
  await finding.mend.now()
  return (await check()) === null ? finding.mend.how : null
}

/**
 * Checks everything in the folder. Each finding is reported as soon as it is certain.
 * @throws STORE_UNAVAILABLE when the folder cannot be read or is none; DATA_DIR_IN_USE when `repair` is asked for a
 * folder that is in use
 */
export const checkFolder = async (options: CheckOptions): Promise<CheckSummary> => {
  const { clock, repair, settleMs = SETTLE_MS, onFinding } = options
  const layout = createLayout(path.resolve(options.dir))
  const seen = { tasks: 0, blobs: 0, documents: 0 }
  const told = { findings: 0, mended: 0 }
  const say = (finding: FsckFinding, mended: string | null): void => {
    told.findings += 1
    if (mended !== null) told.mended += 1
    onFinding(tell(finding, mended))
  }

  const onlyLook = async (): Promise<void> => {
    const hasDocuments = (await refuseLaterFormat(layout)).format >= DOCUMENTS_FORMAT
    const found = await lookOver(checksOf({ layout, alone: false, hasDocuments, clock, seen }))
    if (found.length === 0) return
    await wait(settleMs)
    for (const check of found) {
      const finding = await check()
      if (finding) say(finding, null)
    }
  }

  const mendAll = async (): Promise<void> => {
    const log = silentLog()
    const lock = await lockFolder({ dir: layout.dir, clock, log, patienceMs: 0 })
    try {
      // every opening completes what a power cut interrupted; only after that do findings count
      const store = await openFilesStore({ dir: layout.dir, clock, log, isOwner: true })
      await store.close()
      for (const check of checksOf({ layout, alone: true, hasDocuments: true, clock, seen })) {
        const finding = await check()
        if (finding) say(finding, await mendIfPossible(check, finding))
      }
    } finally {
      await lock.release()
    }
  }

  mustBeDataFolder(layout)
  await refuseLaterFormat(layout)
  try {
    await (repair ? mendAll() : onlyLook())
  } catch (error) {
    throw storeError(error)
  }
  return { ...seen, ...told }
}
