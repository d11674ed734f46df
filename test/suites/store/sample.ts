// How much the larger cases of the store suites try. STORE_LONG=1 takes the long sample.
const LONG = process.env.STORE_LONG === '1'

export const SAMPLE = {
  /** Changes that one cursor is resumed over; the port promises 10,000. */
  changes: LONG ? 10_000 : 500,
  histories: LONG ? 200 : 6,
  readers: 2,
  moves: LONG ? 40_000 : 600,
  workers: LONG ? 6 : 3,
  tasks: LONG ? 3_000 : 100,
  kills: LONG ? 60 : 3,
  /** Random histories over several processes, and how many rounds of calls each has. */
  interleavings: LONG ? 15 : 1,
  rounds: LONG ? 120 : 40,
  /** Calls of one random history of documents, and how many processes are killed while they write some. */
  documentSteps: LONG ? 5_000 : 150,
  documentKills: LONG ? 60 : 6,
  /** One promise of the long sample may take so long, milliseconds. */
  timeout: LONG ? 1_800_000 : 600_000,
  /** A writing process lives at most so long, milliseconds, after it has begun. */
  life: LONG ? 3_000 : 500,
}
