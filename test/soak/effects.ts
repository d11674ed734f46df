// Reads what the kind `effect` left behind, and judges it: one effect per task, never two runs of a task at a time.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface Effects {
  /** Runs that began. */
  runs: number
  /** Tasks with exactly one effect. */
  once: Set<string>
  /** Tasks with more than one. */
  twice: string[]
  /** Tasks of which a run did something after a later run had begun. */
  overlapping: string[]
  /** Runs that found the effect of a run before them, which was killed between it and its durable end. */
  repeated: number
}

interface Line {
  id: string
  run: string
  what: string
}

const parse = (text: string): Line[] =>
  text
    .split('\n')
    .map(line => line.split(' '))
    // the last line of a machine that lost its power may be cut; a process that was killed leaves whole ones
    .filter(words => words.length === 6)
    .map(([id = '', run = '', , what = '']) => ({ id, run, what }))

/** The lines of one file, in the order of the deeds. */
export const judge = (text: string): Effects => {
  const effects: Effects = { runs: 0, once: new Set(), twice: [], overlapping: [], repeated: 0 }
  const seen = new Map<string, { runs: string[]; ends: number; overlaps: boolean }>()
  for (const { id, run, what } of parse(text)) {
    const task = seen.get(id) ?? { runs: [], ends: 0, overlaps: false }
    seen.set(id, task)
    if (!task.runs.includes(run)) {
      task.runs.push(run)
      effects.runs += 1
    } else if (task.runs.at(-1) !== run) task.overlaps = true
    if (what === 'end') task.ends += 1
    if (what === 'already') effects.repeated += 1
  }
  for (const [id, { ends, overlaps }] of seen) {
    if (ends === 1) effects.once.add(id)
    if (ends > 1) effects.twice.push(id)
    if (overlaps) effects.overlapping.push(id)
  }
  return effects
}

/** All files of a folder together: the lines of one task lie in one file. */
export const readEffects = (folder: string): Effects =>
  readdirSync(folder)
    .map(name => judge(readFileSync(path.join(folder, name), 'utf8')))
    .reduce(
      (all, part) => ({
        runs: all.runs + part.runs,
        once: new Set([...all.once, ...part.once]),
        twice: [...all.twice, ...part.twice],
        overlapping: [...all.overlapping, ...part.overlapping],
        repeated: all.repeated + part.repeated,
      }),
      judge(''),
    )
