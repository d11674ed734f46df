// The columns of the figures: what is measured, in which unit, and how it is kept as a row of bytes. A row has room for
// further columns; one that is added takes the next place, and older rows then have no value there.
import { crc32 } from 'node:zlib'

/**
 * In the order of the file, to which columns are only added. `decimals`: to how many digits a value is shown.
 */
export const COLUMNS = {
  /** Percent of all cores, and of the memory: that of the container where it has less than the machine. */
  cpu: { decimals: 1 },
  memory: { decimals: 1 },
  /** Percent of the disk of the data folder. */
  disk: { decimals: 1 },
  /** The load average over a minute. */
  load: { decimals: 2 },
  /** Announcements that the broker holds; without a broker, the tasks that wait. */
  queueDepth: { decimals: 1 },
  /** Attempts that began, and tasks that ended, per minute. */
  started: { decimals: 1 },
  succeeded: { decimals: 1 },
  failed: { decimals: 1 },
  /** Seconds from the moment a task is due to the begin of an attempt, and from there to its end. */
  waitP50: { decimals: 3 },
  waitP90: { decimals: 3 },
  runP50: { decimals: 3 },
  runP90: { decimals: 3 },
  /** Tasks that are kept, by status. */
  PENDING: { decimals: 1 },
  STARTED: { decimals: 1 },
  PROGRESS: { decimals: 1 },
  RETRY: { decimals: 1 },
  SUCCESS: { decimals: 1 },
  FAILURE: { decimals: 1 },
  REVOKED: { decimals: 1 },
  /** Of the bundle's own processes: percent of one core, and resident bytes. */
  apiCpu: { decimals: 1 },
  apiMemory: { decimals: 0 },
  workerCpu: { decimals: 1 },
  workerMemory: { decimals: 0 },
  rpcCpu: { decimals: 1 },
  rpcMemory: { decimals: 0 },
  dashboardCpu: { decimals: 1 },
  dashboardMemory: { decimals: 0 },
} as const satisfies Record<string, { decimals: number }>

/** The roles of the bundle that have columns of their own. */
export const MEASURED_ROLES = ['api', 'worker', 'rpc', 'dashboard'] as const

export type ColumnName = keyof typeof COLUMNS
export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly ColumnName[]
/** Null: it is not known. */
export type Values = Record<ColumnName, number | null>
/** `at`: milliseconds since 1970, the end of the time that the values are about. */
export type Sample = { at: number } & Values

export const valuesOf = (read: (name: ColumnName) => number | null): Values =>
  Object.fromEntries(COLUMN_NAMES.map(name => [name, read(name)])) as Values

export const noValues = (): Values => valuesOf(() => null)

/** A divisor of the sizes of sectors and pages, so that no row lies in two of them. */
export const ROW_BYTES = 256
const VALUES_AT = 8
const PLACES = 61
const CHECK_AT = VALUES_AT + 4 * PLACES

/** Time, values, and a checksum, by which a row that is torn or was never written is told. */
export const encodeRow = ({ at, ...values }: Sample): Buffer => {
  const row = Buffer.alloc(ROW_BYTES)
  row.writeDoubleLE(at, 0)
  for (let place = 0; place < PLACES; place += 1) {
    const name = COLUMN_NAMES[place]
    row.writeFloatLE((name === undefined ? null : values[name]) ?? Number.NaN, VALUES_AT + 4 * place)
  }
  row.writeUInt32LE(crc32(row.subarray(0, CHECK_AT)), CHECK_AT)
  return row
}

/** Whether the row is as it was written: a torn one is not, nor is one that was never written. */
export const isWholeRow = (row: Buffer): boolean =>
  row.readUInt32LE(CHECK_AT) === crc32(row.subarray(0, CHECK_AT))

/** Milliseconds since 1970, of a row that begins at this byte. */
export const timeAt = (bytes: Buffer, begin: number): number => bytes.readDoubleLE(begin)

/** To the digits of its column. */
export const shown = (name: ColumnName, value: number): number => {
  const factor = 10 ** COLUMNS[name].decimals
  return Math.round(value * factor) / factor
}

/** Reads a column of whole rows: bytes, and where a row begins -> its value, null where there is none. */
export const readerOf = (name: ColumnName): ((bytes: Buffer, begin: number) => number | null) => {
  const place = VALUES_AT + 4 * COLUMN_NAMES.indexOf(name)
  return (bytes, begin) => {
    const value = bytes.readFloatLE(begin + place)
    return Number.isFinite(value) ? shown(name, value) : null
  }
}
const READERS = COLUMN_NAMES.map(name => [name, readerOf(name)] as const)

/** A whole row. */
export const decodeRow = (bytes: Buffer, begin = 0): Sample => {
  const sample: Sample = { at: timeAt(bytes, begin), ...noValues() }
  for (const [name, read] of READERS) sample[name] = read(bytes, begin)
  return sample
}
