// One process as the page shows it: the text of each cell, and which buttons are active. The table and /processes.json
// are both made from it, so the script decides nothing.

import { formatBytes, formatDuration, formatPercent } from './format.ts'
import type { Action, ProcessRow } from './processes.ts'

/** Good, changing, at rest, or broken: shown as a colour, always beside the word. */
export type Tone = 'good' | 'busy' | 'rest' | 'bad'

export interface ShownRow extends ProcessRow {
  tone: Tone
  cells: Record<'state' | 'pid' | 'uptime' | 'restarts' | 'cpu' | 'memory', string>
  can: Record<Action, boolean>
}

const TONES: Record<string, Tone> = {
  online: 'good',
  launching: 'busy',
  stopping: 'busy',
  'waiting restart': 'busy',
  stopped: 'rest',
}

export const showRow = (row: ProcessRow): ShownRow => {
  const stopping = row.state === 'stopping'
  const running = row.state === 'online' || row.state === 'launching'
  return {
    ...row,
    tone: TONES[row.state] ?? 'bad',
    cells: {
      state: row.state,
      pid: row.pid === null ? '–' : String(row.pid),
      uptime: formatDuration(row.uptimeMs),
      restarts: String(row.restarts),
      cpu: row.pid === null ? '–' : formatPercent(row.cpuPercent),
      memory: formatBytes(row.memoryBytes),
    },
    can: {
      start: !running && !stopping,
      stop: !row.isDashboard && !stopping && row.state !== 'stopped',
      restart: !stopping,
    },
  }
}
