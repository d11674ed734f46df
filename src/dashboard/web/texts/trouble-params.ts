// What the texts about troubles are given.

/** The parameters of all troubles as the texts take them: times, sizes and shares are written out. */
export interface TroubleParams {
  process: string
  role: string
  /** Of a process: as the supervisor calls it. */
  state: string
  kind: string
  part: string
  percent: string
  free: string
  since: string
  count: number
  before: number
  minutes: number
  restarts: number
  /** Tasks that wait. Null: not known. */
  waiting: number | null
}

/** What is wrong, and the one thing to do about it. */
export interface TroubleTexts {
  text: (params: TroubleParams) => string
  action: (params: TroubleParams) => string
  /** In its place where a stopped process is at fault, for those who may start it. */
  start?: (params: TroubleParams) => string
}
