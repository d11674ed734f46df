// A made-up kind for the screenshots: reports whose database is away for most of them.
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Renders a report as PDF',
    params: z.strictObject({ report: z.int(), port: z.int() }),
    result: z.strictObject({ pages: z.int() }),
    example: { report: 20_417, port: 5432 },
    async run({ report, port }, ctx) {
      ctx.progress(10, `report ${report}: reading orders`)
      ctx.log(`connecting to 10.0.0.7:${port}`)
      await new Promise(resolve => setTimeout(resolve, 20))
      if (port === 5432) {
        const message = `connect ECONNREFUSED 10.0.0.7:${port}`
        // the real stack would show where this machine keeps its files
        const stack = `Error: ${message}\n    at connect (db.mjs:41:11)\n    at run (render-report.mjs:12:9)`
        throw Object.assign(new Error(message), { code: 'ECONNREFUSED', stack })
      }
      return { pages: (report % 30) + 1 }
    },
  })
