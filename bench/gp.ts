// PARI/GP as the other side of a comparison: a program of its own, asked through its standard input.
import { spawnSync } from 'node:child_process'

/** `PARI/GP 2.15.2`, or null when it is not installed. */
export const gpVersion = (): string | null => {
  const { status, stdout } = spawnSync('gp', ['--version-short'], { encoding: 'utf8' })
  return status === 0 ? `PARI/GP ${stdout.trim()}` : null
}

export interface Timed {
  /** CPU and wall time of one repetition. GP's clocks count whole milliseconds: repeat what is short. */
  cpuMs: number
  wallMs: number
  /** The end of the text that `shown` makes. */
  tail: string
}

/**
 * Runs `work` so many times in a new GP, which has no constant at hand from before, with so many digits, and then the
 * GP expression `shown`. @throws Error when GP does
 */
export const timeInGp = (work: string, digits: number, times: number, shown: string): Timed => {
  const program = [
    'default(parisizemax, 8000000000)',
    `default(realprecision, ${Math.max(digits, 1)})`,
    'bench_cpu = getabstime(); bench_wall = getwalltime()',
    `for (bench_i = 1, ${times}, ${work})`,
    'bench_cpu = getabstime() - bench_cpu; bench_wall = getwalltime() - bench_wall',
    // the work may have asked for more
    `default(realprecision, ${Math.max(digits, 1)})`,
    `bench_text = Vecsmall(Str(${shown}))`,
    'print("<", bench_cpu, " ", bench_wall, " ", Strchr(bench_text[max(1, #bench_text - 39)..#bench_text]), ">")',
  ].join('\n')
  const { status, stdout, stderr } = spawnSync('gp', ['--quiet', '--fast', '--default', 'colors=no'], {
    input: `${program}\n`,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
  })
  const found = /<(\d+) (\d+) ([^>]*)>/.exec(stdout)
  if (status !== 0 || !found) throw new Error(`gp failed: ${stdout.slice(0, 500)} ${stderr.slice(0, 500)}`)
  return { cpuMs: Number(found[1]) / times, wallMs: Number(found[2]) / times, tail: found[3] ?? '' }
}
