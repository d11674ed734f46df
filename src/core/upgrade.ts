// Brings records of earlier versions to the present one, a version at a time. Pure.
import { RECORD_VERSION } from './task.ts'

/** What one step does: takes a whole record of its version, answers one of the next. Fields it does not know stay. */
export type UpgradeStep = (record: Record<string, unknown>) => Record<string, unknown>

/** Step n makes version n + 1 out of version n. Version 1 is the first that there was. */
export const UPGRADE_STEPS: Readonly<Record<number, UpgradeStep>> = {}

/**
 * A function that answers a record in the version `to`. What is no record of an earlier version, or of one that no
 * step begins at, is answered as it is: whether it is sound is the schema's business.
 */
export const createUpgrade =
  (steps: Readonly<Record<number, UpgradeStep>> = UPGRADE_STEPS, to: number = RECORD_VERSION) =>
  (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    let record = value as Record<string, unknown>
    for (;;) {
      const { version } = record
      if (typeof version !== 'number' || version >= to) return record
      const step = steps[version]
      if (!step) return record
      record = { ...step(record), version: version + 1 }
    }
  }
