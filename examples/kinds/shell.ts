// Runs a command. Its lines are in the task's log while it runs, and a cancel ends its whole process group.
//
// Whoever may submit this kind can run any program as the user of the server. To allow only some, list them:
// `command: z.enum(['convert', 'ffmpeg'])`. Check the arguments as well, since many programs run others
// (`tar --to-command`). No shell reads the arguments, unless the command is one.
import { defineKind, z } from 'madhava'

const word = /^[^\0]*$/

export default defineKind({
  summary: 'Runs a command and logs its lines',
  params: z.strictObject({
    command: z.string().min(1).max(1_000).regex(word),
    args: z.array(z.string().max(100_000).regex(word)).max(1_000).default([]),
  }),
  result: z.strictObject({
    output: z.string().describe('the end of what it printed on standard output'),
    truncated: z.boolean().describe('whether the beginning of its output is missing'),
  }),
  example: { command: 'echo', args: ['to be or not to be'] },
  // a command that hangs must not keep its slot for ever
  limits: { softSeconds: 3_600, hardSeconds: 3_610 },
  // a command may have had effects before its worker died: it is not run again, unless a submit says so
  maxAttempts: 1,

  async run({ command, args }, ctx) {
    // The folder is the attempt's own, and goes with it. Memory is bounded: only the end of the output is kept.
    // Any exit code but 0 throws an error that names the code and the last lines.
    const { stdout, truncated } = await ctx.exec(command, args, { cwd: ctx.scratch, maxBytes: 16 * 1024 })
    return { output: stdout, truncated }
  },
})
