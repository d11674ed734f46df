// The kind `manual`: something that people do, such as an item of a shared list. docs/todo.md describes the list.
import { z } from 'zod'
import { assigneeSchema, definePeopleKind } from '../core/kind.ts'

export default definePeopleKind({
  summary: 'Something to do for people: open until somebody completes it',
  params: z.strictObject({ assignee: assigneeSchema.optional() }),
  example: { assignee: 'alice' },
})
