// Import: takes the lines of an export into a store. It goes through the port alone, so that indexes, logs and the feed
// know what it did.
import { Readable } from 'node:stream'
import { artifactsOf } from '../../core/artifacts.ts'
import type { TaskStore } from '../../core/store.ts'
import { idempotencyScope, isFinal, isRunning, type TaskRecord } from '../../core/task.ts'
import { createArtifactCheck } from './artifact-check.ts'
import { badLine, type DocumentLine, type TaskLine } from './export-format.ts'
import { createAuditImport } from './import-audit.ts'
import { createDocumentImport, placeOf } from './import-document.ts'
import { cutOff, eachBlob, eachLine, type Lines, linesOf, problemOf } from './import-lines.ts'
import {
  atRest,
  createTaskImport,
  type ImportOutcome,
  type TaskImport,
  type TaskImportDeps,
} from './import-task.ts'
import { createUploadImport, type UploadImport } from './import-upload.ts'

export interface ImportOptions {
  input: AsyncIterable<Uint8Array>
  /** A task that is there and older by (claim, rev) is replaced, and a document that is older by its rev. */
  replace: boolean
  /** The accounts of the export are taken in too. Left out: they are passed over. */
  accounts?: boolean
  /** An account that was taken in. */
  onAccount?: (place: string, outcome: 'created' | 'replaced') => void
  /** A task or account that is not taken in, with the reason; the others are. */
  onRefused: (id: string, why: string) => void
}

export interface ImportSummary {
  created: number
  replaced: number
  /** Were there with the same content; their blobs are written anew, so that an import can simply be repeated. */
  unchanged: number
  /** Were there with other content, and stay as they are. */
  left: number
  refused: number
  /** Ran at the time of the export, and were given back. */
  givenBack: number
  blobs: number
  /** Accounts that were made or replaced. */
  accounts: number
  /** Accounts that were there with other content, and stay as they are. */
  accountsLeft: number
  /** Accounts that nobody asked for. */
  accountsPassedOver: number
  /** Lines of the audit that were added. */
  audit: number
  /** Uploads that were made or replaced. */
  uploads: number
  /** Uploads that were there with other content, and stay as they are. */
  uploadsLeft: number
  /** Null: the export was whole. Else where and why the import ended. */
  problem: string | null
}

/** Records on their way to the disk at a time, so that they can share its syncs. */
const IN_FLIGHT = 64

interface TakeIn {
  lines: Lines
  store: TaskStore
  place: TaskImport
  /** Null: accounts are passed over. */
  placeDocument: ((line: DocumentLine) => Promise<ImportOutcome>) | null
  placeUpload: UploadImport
  onAccount: NonNullable<ImportOptions['onAccount']>
  replace: boolean
  summary: ImportSummary
}

const takeIn = async (deps: TakeIn): Promise<void> => {
  const { lines, store, place, placeDocument, placeUpload, onAccount, replace, summary } = deps
  /** What is on its way, by id and by idempotency key. */
  const underWay = new Map<string, Promise<ImportOutcome>>()
  const settle = async (): Promise<void> => {
    const results = await Promise.allSettled(underWay.values())
    underWay.clear()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  const audit = createAuditImport(store.audit, count => {
    summary.audit += count
  })
  const namesOf = (record: TaskRecord): string[] =>
    [record.id, idempotencyScope(record)].filter(name => name !== null)

  const takeBlobs = async (record: TaskRecord, outcome: ImportOutcome, number: number): Promise<number> => {
    const wanted = outcome === 'created' || outcome === 'replaced' || outcome === 'unchanged'
    const artifacts = createArtifactCheck(record)
    const names = await eachBlob(lines, record.id, async (first, lineBytes) => {
      const bytes = artifacts.watch(first.name, lineBytes)
      if (wanted) {
        await store.putBlob(record.id, first.name, Readable.from(bytes, { highWaterMark: 1 }))
        summary.blobs += 1
      } else for await (const _ of bytes);
    })
    const flaw = artifacts.flaw()
    if (flaw !== null) throw badLine(number, `of the task ${record.id}, ${flaw}`)
    if (outcome === 'replaced')
      for (const { name } of await store.listBlobs(record.id))
        if (!names.has(name)) await store.removeBlob(record.id, name)
    return names.size
  }

  const takeTask = async (line: TaskLine, record: TaskRecord, number: number): Promise<number> => {
    const placed = place({ record, fingerprint: line.fingerprint }).then(outcome => {
      summary[outcome] += 1
      const isNew = outcome === 'created' || outcome === 'replaced'
      if (isNew && isRunning(line.record.status)) summary.givenBack += 1
      return outcome
    })
    // the failure is reported where this is awaited
    placed.catch(() => {})
    for (const name of namesOf(record)) underWay.set(name, placed)
    try {
      const next = await lines.peek()
      if (!next) throw cutOff()
      const hasBlobs = next.line.type === 'blob' || artifactsOf(record).length > 0
      if (hasBlobs || replace) return await takeBlobs(record, await placed, number)
    } catch (error) {
      if ((await placed) === 'created' && isFinal(record.status)) {
        // no end without its result: half of a task is none
        await store.remove(record.id)
        summary.created -= 1
      }
      throw error
    }
    if (underWay.size >= IN_FLIGHT) await settle()
    return 0
  }

  try {
    await eachLine(lines, {
      async task(line, at, number) {
        await placeUpload.finish()
        const record = atRest(line.record, at)
        if (namesOf(record).some(name => underWay.has(name))) await settle()
        return takeTask(line, record, number)
      },
      async document(line, number) {
        if (line.collection === 'upload-uses') return placeUpload.use(line)
        await placeUpload.finish()
        if (line.collection === 'uploads') return placeUpload.upload(line, number)
        const outcome = placeDocument ? await placeDocument(line) : 'passed over'
        if (outcome === 'refused') summary.refused += 1
        if (outcome === 'left') summary.accountsLeft += 1
        if (outcome === 'passed over') summary.accountsPassedOver += 1
        if (outcome !== 'created' && outcome !== 'replaced') return
        summary.accounts += 1
        onAccount(placeOf(line), outcome)
      },
      audit: ({ entry }) => audit.take(entry),
    })
  } finally {
    await placeUpload.finish()
    await settle()
    await audit.end()
  }
}

/**
 * Reads an export to its end, or to the first line that is wrong; what stood before that line is kept. To repeat an
 * import is safe. @throws STORE_UNAVAILABLE
 */
export const importAll = async (
  store: TaskStore,
  options: ImportOptions & Pick<TaskImportDeps, 'refusal'> & { clock: () => Date },
): Promise<ImportSummary> => {
  const { input, replace, accounts = false, onAccount = () => {}, onRefused, refusal, clock } = options
  const tasks = { created: 0, replaced: 0, unchanged: 0, left: 0, refused: 0, givenBack: 0, blobs: 0 }
  const documents = { accounts: 0, accountsLeft: 0, accountsPassedOver: 0, audit: 0 }
  const files = { uploads: 0, uploadsLeft: 0 }
  const summary: ImportSummary = { ...tasks, ...documents, ...files, problem: null }
  try {
    const place = createTaskImport({ store, refusal, replace, onRefused })
    const placeDocument = accounts
      ? createDocumentImport({ documents: store.documents, replace, onRefused })
      : null
    const lines = linesOf(input)
    const placeUpload = createUploadImport({
      lines,
      store,
      clock,
      replace,
      onRefused,
      onTaken(outcome) {
        if (outcome === 'created' || outcome === 'replaced') summary.uploads += 1
        if (outcome === 'left') summary.uploadsLeft += 1
        if (outcome === 'refused') summary.refused += 1
      },
    })
    await takeIn({ lines, store, place, placeDocument, placeUpload, onAccount, replace, summary })
  } catch (error) {
    summary.problem = problemOf(error)
  }
  return summary
}
