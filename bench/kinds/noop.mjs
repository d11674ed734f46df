// The kind that does nothing: what is left is what a task costs.
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Does nothing',
    params: z.json(),
    result: z.null(),
    example: null,
    run: () => null,
  })
