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
      if (port === 5432)
        throw Object.assign(new Error(`connect ECONNREFUSED 10.0.0.7:${port}`), { code: 'ECONNREFUSED' })
      return { pages: (report % 30) + 1 }
    },
  })
