// A made-up kind for the screenshots: the other side refuses now and then, and it tries again.
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Tells another system of an invoice',
    params: z.strictObject({ invoice: z.int(), to: z.string().max(100) }),
    result: z.null(),
    example: { invoice: 77, to: 'crm.example' },
    retry: { delaySeconds: 600, factor: 2 },
    run({ invoice, to }, ctx) {
      ctx.log(`POST https://${to}/invoices/${invoice}`)
      if (to !== 'crm.example') return null
      ctx.log('the answer is 503 Service Unavailable', 'warn')
      throw new Error(`503 from ${to}`)
    },
  })
