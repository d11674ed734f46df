// A process as the server tells it, and what the page makes of it: one word and its colour. Pure.
import type { Tone } from '../../parts/badge.tsx'

export const ACTIONS = ['start', 'stop', 'restart'] as const
export type Action = (typeof ACTIONS)[number]

export interface RestartCause {
  how: 'asked' | 'exit' | 'signal' | 'memory'
  code: number | null
  signal: string | null
  by: string | null
  /** ISO 8601. */
  at: string
  words: string | null
}

/** As /processes.json has it; what may be left out, the server may not know. */
export interface ProcessRow {
  name: string
  pmId: number
  state: string
  tone: Tone
  pid: number | null
  uptimeMs: number | null
  restarts: number
  /** 100 is one core. */
  cpuPercent: number
  memoryBytes: number
  isDashboard: boolean
  ready?: boolean | null
  troubles?: Record<string, string>
  /** Ids of tasks. */
  running?: string[]
  restartCause?: RestartCause | null
  lastRestartAt?: string | null
  crashLoop?: boolean
  can: Record<Action, boolean>
}

/** A process that begins needs this long until it says that it is ready. */
const FRESH_MS = 15_000

export const isFresh = ({ uptimeMs }: ProcessRow): boolean => (uptimeMs ?? 0) < FRESH_MS

/** `word` is a name among the texts of states. */
export const badgeOf = (row: ProcessRow): { word: string; tone: Tone } => {
  const { state, ready, tone, troubles = {} } = row
  if (row.crashLoop) return { word: 'crashLoop', tone: 'bad' }
  if (state !== 'online') return { word: state, tone }
  if (ready === false) return { word: 'notReady', tone: isFresh(row) ? 'busy' : 'bad' }
  const isWell = Object.keys(troubles).length === 0
  return { word: ready === true ? 'ready' : 'online', tone: isWell ? 'good' : 'busy' }
}

export const isWorking = (row: ProcessRow): boolean => ['ready', 'online'].includes(badgeOf(row).word)
