// A report as a page of HTML, kept with its task as an artifact.
import { defineKind, z } from 'madhava'

const STYLE = 'body{font:1rem sans-serif;margin:2rem}td,th{border:1px solid;padding:.3rem}'
const NAMES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** For every text that comes from params: else whoever writes one writes tags into the page. */
const escaped = (value: unknown): string => String(value).replace(/[&<>"']/g, sign => NAMES[sign] ?? '')

export default defineKind({
  summary: 'Makes a report with a table, as an artifact',
  params: z.strictObject({
    title: z.string().min(1).max(500),
    columns: z.array(z.string().max(500)).min(1).max(100),
    rows: z.array(z.array(z.union([z.string().max(10_000), z.number(), z.null()])).max(100)).max(100_000),
  }),
  result: z.strictObject({ rows: z.int(), artifact: z.string(), bytes: z.int() }),
  example: {
    title: 'Tea',
    columns: ['sort', 'grams'],
    rows: [
      ['green', 100],
      ['black', 250],
    ],
  },

  async run({ title, columns, rows }, ctx) {
    // a generator is read as fast as it is written, so the page is never in memory as a whole
    async function* page() {
      yield `<!doctype html><html><head><meta charset="utf-8"><title>${escaped(title)}</title>`
      yield `<style>${STYLE}</style></head><body><h1>${escaped(title)}</h1><table><thead><tr>`
      for (const name of columns) yield `<th>${escaped(name)}</th>`
      yield '</tr></thead><tbody>'
      for (const [at, row] of rows.entries()) {
        ctx.signal.throwIfAborted()
        const cells = columns.map((_, n) => `<td>${escaped(row[n] ?? '')}</td>`)
        yield `<tr>${cells.join('')}</tr>\n`
        ctx.progress((100 * (at + 1)) / rows.length, `row ${at + 1} of ${rows.length}`)
      }
      yield '</tbody></table></body></html>\n'
    }
    const { name, bytes } = await ctx.artifact('report.html', page(), { type: 'text/html' })
    ctx.log(`${rows.length} rows in ${name}`)
    return { rows: rows.length, artifact: name, bytes }
  },
})
