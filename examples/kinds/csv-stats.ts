// Figures of one column of a CSV file of any size, in UTF-8. Quoted fields may hold commas, line ends, doubled quotes;
// empty fields do not count. An attempt that was lost goes on after the last whole record of its checkpoint.
import { defineKind, upload, z } from 'madhava'

/** Splits a text where the separator stands outside of quotes; a doubled quote closes and opens. */
const split = (text: string, separator: string): string[] => {
  const parts: string[] = []
  let isOpen = false
  for (const part of text.split(separator)) {
    parts.push(isOpen ? parts.pop() + separator + part : part)
    if (part.split('"').length % 2 === 0) isOpen = !isOpen
  }
  return parts
}
const unquoted = (field: string) => field.replace(/^\s*"|"\s*$/g, '').replaceAll('""', '"')
const NONE = { at: 0, index: -1, count: 0, mean: 0, m2: 0, min: Number.MAX_VALUE, max: -Number.MAX_VALUE }
const num = z.number()
const sums = z.object({ at: num, index: num, count: num, mean: num, m2: num, min: num, max: num })

export default defineKind({
  summary: 'Count, mean, minimum, maximum and standard deviation of a column of a CSV file',
  params: z.strictObject({ file: upload({ types: ['text/plain', 'text/csv'] }), column: z.string() }),
  result: z.strictObject({ count: num, mean: num, min: num, max: num, deviation: num }),
  example: { file: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' }, column: 'price' },
  async run({ file: ref, column }, ctx) {
    const file = await ctx.upload(ref)
    const sum = sums.safeParse(ctx.resume).data ?? { ...NONE }
    const take = (record: string): void => {
      const fields = split(Buffer.from(record, 'latin1').toString().trim(), ',').map(unquoted)
      const text = fields[sum.index]?.trim()
      if (sum.index < 0) sum.index = fields.indexOf(column)
      else if (text) {
        const x = Number(text)
        if (!Number.isFinite(x)) throw new Error(`At byte ${sum.at}: ${text} is not a number`)
        const delta = x - sum.mean // Welford's way: a sum of squares would lose digits
        sum.mean += delta / ++sum.count
        sum.m2 += delta * (x - sum.mean)
        Object.assign(sum, { min: Math.min(sum.min, x), max: Math.max(sum.max, x) })
      }
      if (sum.index < 0) throw new Error(`There is no column ${column}; there are ${fields.slice(0, 50)}`)
      sum.at += record.length + 1
    }
    let tail = '' // in Latin-1, where a character is a byte
    for await (const piece of file.stream({ start: sum.at })) {
      ctx.signal.throwIfAborted()
      const records = split(tail + piece.toString('latin1'), '\n')
      tail = records.pop() ?? ''
      records.forEach(take)
      if (tail.length > 1024 ** 2) throw new Error(`At byte ${sum.at}: the record does not end`)
      ctx.progress((100 * sum.at) / file.bytes, `${sum.count} numbers`)
      ctx.checkpoint(sum)
    }
    if (tail.split('"').length % 2 === 0) throw new Error(`At byte ${sum.at}: a quote is not closed`)
    take(tail)
    if (sum.count === 0) throw new Error(`The column ${column} has no numbers`)
    const { count, mean, min, max, m2 } = sum
    return { count, mean, min, max, deviation: Math.sqrt(m2 / count) }
  },
})
