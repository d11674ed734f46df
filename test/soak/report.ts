// The report of a soak as Markdown, and the verdict.
export interface Recovery {
  harm: string
  /** From the end of the harm until every check is well again and a new task was run. Milliseconds. */
  ms: number
}

export interface SoakReport {
  date: string
  command: string
  versions: string
  minutes: number
  seed: number
  submitted: number
  /** Tries of submits and cancels without an answer, since the door was dead or closing. */
  unanswered: number
  byStatus: Record<string, number>
  /** Longest from due to ended, by priority, of tasks that take under 0.1 s by themselves. Milliseconds. */
  longestWaits: { urgent: number; others: number }
  /** Accepted and nowhere to be found. */
  lost: string[]
  /** Not ended when the time for it was over. */
  stuck: string[]
  /** Ended in a way that nobody asked for. */
  failed: string[]
  /** Not exactly one final status since the submit. */
  manyEnds: string[]
  wrongAnswers: string[]
  effects: {
    once: number
    none: string[]
    twice: string[]
    overlapping: string[]
    runs: number
    repeated: number
  }
  harms: Record<string, number>
  recoveries: Recovery[]
  /** Harms after which not all was well in time. */
  unrecovered: string[]
  /** Lines of the logs at level error or fatal, by text. */
  errors: Record<string, number>
}

/** What breaks a promise; empty when all were kept. */
export const breaches = (report: SoakReport): string[] =>
  [
    { what: 'tasks lost', found: report.lost },
    { what: 'tasks stuck', found: report.stuck },
    { what: 'tasks that failed', found: report.failed },
    { what: 'tasks with more or less than one end', found: report.manyEnds },
    { what: 'answers that must not be', found: report.wrongAnswers },
    { what: 'tasks in SUCCESS without an effect', found: report.effects.none },
    { what: 'tasks with two effects', found: report.effects.twice },
    { what: 'tasks of which two runs went on at a time', found: report.effects.overlapping },
    { what: 'harms not recovered from', found: report.unrecovered },
  ]
    .filter(({ found }) => found.length > 0)
    .map(({ what, found }) => `${found.length} ${what}: ${found.slice(0, 5).join(', ')}`)

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

export const toMarkdown = (report: SoakReport): string => {
  const { effects, recoveries } = report
  const sorted = [...recoveries].sort((a, b) => b.ms - a.ms)
  const median = sorted[Math.floor(sorted.length / 2)]
  const rows: [string, string | number][] = [
    ['submitted (answered with 202)', report.submitted],
    ...Object.entries(report.byStatus).map(([status, count]): [string, number] => [
      `ended in ${status}`,
      count,
    ]),
    ['longest from due to ended, tasks of under 0.1 s with priority 9', seconds(report.longestWaits.urgent)],
    ['the same with a lower priority, behind all that is more urgent', seconds(report.longestWaits.others)],
    ['lost', report.lost.length],
    ['stuck', report.stuck.length],
    ['tasks with more or less than one final status', report.manyEnds.length],
    ['runs begun', effects.runs],
    ['tasks with exactly one effect', effects.once],
    ['tasks in SUCCESS without an effect', effects.none.length],
    ['tasks with two effects', effects.twice.length],
    ['tasks of which two runs went on at a time', effects.overlapping.length],
    ['effects that a run before had had, killed before its end was durable', effects.repeated],
    ['requests without an answer, tried again', report.unanswered],
    ['harms', Object.values(report.harms).reduce((sum, count) => sum + count, 0)],
    ['recovery, median', median ? seconds(median.ms) : 'none measured'],
    ['recovery, longest', sorted[0] ? `${seconds(sorted[0].ms)} (${sorted[0].harm})` : 'none measured'],
  ]
  const harms = Object.entries(report.harms).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    `${report.date}, ${report.versions}; \`${report.command}\` (seed ${report.seed}), ${report.minutes} minutes:`,
    '',
    '| what | found |',
    '| --- | --- |',
    ...rows.map(([what, found]) => `| ${what} | ${found} |`),
    '',
    '| harm | times | longest recovery |',
    '| --- | --- | --- |',
    ...harms.map(([name, count]) => {
      const longest = sorted.find(({ harm }) => harm === name)
      return `| ${name} | ${count} | ${longest ? seconds(longest.ms) : '-'} |`
    }),
    '',
  ].join('\n')
}
