// Runs a command that leaves a line in a file at its start and one every tenth of a second: two at a time would be seen.
import { execSync, spawn } from 'node:child_process'

export default ({ defineKind, z }) =>
  defineKind({
    summary: 'Runs a command that says in a file that it runs',
    params: z.strictObject({
      file: z.string().describe('where the lines go'),
      how: z.enum(['spawn', 'block', 'daemon', 'exec']),
    }),
    result: z.null(),
    example: { file: '/dev/null', how: 'exec' },
    async run({ file, how }, ctx) {
      const loop = `while sleep 0.1; do echo "$$ alive" >> "$1"; done`
      const script = `echo "$$ start" >> "$1"; ${loop}`
      const daemon = `setsid sh -c '${script}' sh "$1" </dev/null >/dev/null 2>&1 & ${loop}`
      if (how === 'exec') await ctx.exec('sh', ['-c', script, 'sh', file])
      else if (how === 'block') execSync(`set -- '${file}'; ${script}`, { env: { PATH: process.env.PATH } })
      else
        await new Promise(done =>
          spawn('sh', ['-c', how === 'spawn' ? script : daemon, 'sh', file]).on('exit', done),
        )
      return null
    },
  })
