// What comes before waiting tasks, and what their kinds have room for, as Redis's sorted sets say it.
import type { Line, LineFields, LineQuery } from '../../core/line.ts'
import { type KindRoom, NO_ROOM, PERMITS_MAX } from '../../core/line.ts'
import type { Health } from './health.ts'
import { keyPart, limitPlanOf, lineScore } from './records.ts'
import type { Scripts } from './scripts.ts'

/** Tasks that one call asks about: Redis does nothing else meanwhile. */
const BATCH = 50

type Found = [kinds: string[], before: (number[] | null)[], rooms: (string | number)[]]

/** Numbers that come in pairs. */
const pairs = (flat: readonly number[]): [number, number][] =>
  Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? 0, flat[2 * n + 1] ?? 0])

const countsOf = (kinds: readonly string[], flat: readonly number[]): Map<string, number> => {
  const counts = new Map<string, number>()
  // those of a kind that run alone stand in a set of their own
  for (const [place, count] of pairs(flat)) {
    const kind = kinds[place - 1] ?? ''
    counts.set(kind, (counts.get(kind) ?? 0) + count)
  }
  return counts
}

const roomsOf = (flat: readonly (string | number)[]): Map<string, KindRoom> => {
  const limit = (value: string | number | undefined): number | null =>
    Number(value) < 0 ? null : Number(value)
  return new Map(
    Array.from({ length: flat.length / 3 }, (_, n) => [
      String(flat[3 * n]),
      { running: limit(flat[3 * n + 1]), permits: limit(flat[3 * n + 2]) },
    ]),
  )
}

export const createLine =
  (scripts: Pick<Scripts, 'run'>, health: Pick<Health, 'mayBegin' | 'trouble'>) =>
  async (tasks: readonly LineFields[], { now, kinds, limits, most }: LineQuery): Promise<Line> => {
    const nowMs = Date.parse(now)
    const wanted = kinds && [...new Set(kinds)]
    const plans = Object.fromEntries(
      [...limits].map(([kind, limit]) => [kind, limitPlanOf(kind, limit, nowMs).plan]),
    )
    const ask = (some: readonly LineFields[], withRooms: boolean) =>
      scripts.run<Found>(
        'line',
        nowMs,
        wanted ? JSON.stringify(wanted.map(keyPart)) : '',
        // a number of Lua would lose digits on its way into a text
        JSON.stringify(some.map(task => [task.id, String(lineScore(task))])),
        withRooms ? JSON.stringify(plans) : '{}',
        most,
        PERMITS_MAX,
      )
    const before: Line['before'] = []
    let rooms: Line['rooms'] = new Map()
    for (let from = 0; from === 0 || from < tasks.length; from += BATCH) {
      const [named, answers, flat] = await ask(tasks.slice(from, from + BATCH), from === 0)
      if (from === 0) rooms = roomsOf(flat)
      for (const answer of answers) before.push(answer && countsOf(wanted ?? named, answer))
    }
    return { before, rooms, closed: health.mayBegin() ? null : (health.trouble() ?? NO_ROOM) }
  }
