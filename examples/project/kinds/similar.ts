// Finds names that are nearly the same, as in a list of customers. It compares each name with all before it, reports how
// far it is, and a lost attempt's work is not done again.
import leven from 'leven'
import { defineKind, z } from 'madhava'
import { comparable } from './lib/comparable.ts'

const pairs = z.array(z.tuple([z.string(), z.string()]))
const checkpoint = z.object({ done: z.int(), found: pairs })

export default defineKind({
  summary: 'Finds names that are nearly the same',
  params: z.strictObject({
    names: z.array(z.string().max(200)).max(10_000),
    distance: z.int().min(0).max(10).default(2).describe('how many letters may differ'),
  }),
  result: pairs,
  example: { names: ['Ada Lovelace', 'Alan Turing', 'ada  lovelase'], distance: 2 },
  limits: { softSeconds: 600 },

  async run({ names, distance }, ctx) {
    const { done, found } = checkpoint.parse(ctx.resume ?? { done: 0, found: [] })
    const all = names.map(name => ({ name, key: comparable(name) }))
    for (const [at, { name, key }] of all.entries()) {
      if (at < done) continue
      for (const other of all.slice(0, at))
        if (leven(other.key, key, { maxDistance: distance + 1 }) <= distance) found.push([other.name, name])
      ctx.progress((100 * (at + 1)) / all.length, `${found.length} found`)
      ctx.checkpoint({ done: at + 1, found })
      // a moment in which a cancel is noticed
      await new Promise(resolve => setImmediate(resolve))
      ctx.signal.throwIfAborted()
    }
    return found
  },
})
