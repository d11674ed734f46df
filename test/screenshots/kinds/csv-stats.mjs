// A made-up kind for the screenshots: it runs for minutes, with progress and partial results.
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Sums up the columns of a CSV file',
    params: z.strictObject({ file: z.string().max(200), seconds: z.number().max(3600).default(0) }),
    result: z.strictObject({ rows: z.int(), sum: z.number() }),
    example: { file: 'orders-2026.csv' },
    async run({ file, seconds }, ctx) {
      const rows = 2_186_000
      ctx.log(`${file}: ${rows} rows`)
      const steps = seconds === 0 ? 0 : 200
      for (let step = Math.round(steps * 0.22); step < steps; step += 1) {
        const row = Math.round((rows * step) / steps)
        ctx.progress((100 * step) / steps, `row ${row.toLocaleString('en-GB')}`, { row, sum: row * 41.7 })
        await new Promise(resolve => setTimeout(resolve, (1000 * seconds) / steps))
        ctx.signal.throwIfAborted()
      }
      return { rows, sum: 91_156_200.5 }
    },
  })
