// watch: what happens to tasks, as it happens.
import type { Command } from 'commander'
import type { WatchEvent } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { lasting } from '../lasting.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { addFilterOptions, type FilterOptions, filterOf } from './filter-options.ts'
import { idFor, taskLine } from './task-table.ts'

interface WatchOptions extends FilterOptions {
  snapshot?: boolean
  since?: string
}

const watch = async (c: Console, options: WatchOptions): Promise<void> => {
  const filter = filterOf(options, c.machine.clock())
  const client = await c.client({ patienceMs: 0 })
  const events = lasting<WatchEvent, void>({
    open: since => {
      const from = since ?? options.since
      return client.watchAll(filter, {
        signal: c.signal,
        ...(from === undefined ? {} : { since: from }),
        // what was seen is not told again
        ...(options.snapshot && since === undefined ? { snapshot: true } : {}),
      })
    },
    sinceOf: ({ cursor }) => (cursor === '' ? undefined : cursor),
    tell: text => c.tell(oneLine(text)),
    signal: c.signal,
    patienceMs: c.patienceMs,
  })
  let hasBegun = false
  for await (const event of events) {
    if (c.isJson) {
      await c.printJson(event)
      continue
    }
    const { columns, style } = c.out
    const now = c.machine.clock()
    if (event.type === 'task') await c.print(taskLine(event.task, { columns, style, now }))
    else if (event.type === 'removed') await c.print(style.dim(`${idFor(event.id, columns)} is removed`))
    else if (event.type === 'live' && !hasBegun) {
      hasBegun = true
      if (c.err.isTerminal) c.tell(c.err.style.dim('Watching; Ctrl-C ends it.'))
    }
  }
}

export const addWatchCommand = (program: Command, c: Console): void => {
  addFilterOptions(program.command('watch').description('what happens to tasks, as it happens'))
    .option('--snapshot', 'all tasks that fit first')
    .option('--since <cursor>', 'go on behind an event, by its cursor')
    .action((options: WatchOptions) => watch(c, options))
}
