// Upgrades records of earlier versions to the present one, one version at a time. Pure.
import { RECORD_VERSION } from './task.ts'

/** One step: takes a whole record of its version and returns one of the next. Unknown fields stay. */
export type UpgradeStep = (record: Record<string, unknown>) => Record<string, unknown>

/** Step n turns version n into version n + 1. Version 1 was the first. */
export const UPGRADE_STEPS: Readonly<Record<number, UpgradeStep>> = {}

/**
 * Makes a function that upgrades a record to version `to`. A value without a known earlier version is returned
 * unchanged; the schema decides whether it is valid.
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
