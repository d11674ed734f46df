// Sides in turns, and the table of what came of it. It knows no side.
import { median, show, spread, table } from './figures.ts'
import type { Side, Turn } from './side.ts'

/**
 * `rounds` rounds of all sides, each round beginning with another one. Round 0 warms the machine and is not counted.
 * The last side is ours: the table has its ratio to each of the others, round by round.
 */
export const compare = async (sides: readonly Side[], rounds: number, tasks: number): Promise<string> => {
  const turns: Turn[][] = []
  for (let round = 0; round <= rounds; round += 1) {
    const row: Turn[] = []
    for (let n = 0; n < sides.length; n += 1) {
      const place = (n + round) % sides.length
      row[place] = await (sides[place] as Side).turn(tasks)
    }
    if (round > 0) turns.push(row)
  }
  const of = (place: number, what: keyof Turn): number[] => turns.map(row => (row[place] as Turn)[what])
  const ours = sides.length - 1
  const ratios = (place: number): string =>
    place === ours
      ? ''
      : spread(of(ours, 'perSecond').map((rate, n) => rate / (of(place, 'perSecond')[n] as number)))
  return table([
    ['min / median / max', 'tasks/s', 'ours to it, each round', 'CPU of the worker, ms a task'],
    ...sides.map(({ name }, place) => [
      name,
      spread(of(place, 'perSecond')),
      ratios(place),
      show(median(of(place, 'cpuMs'))),
    ]),
  ])
}
