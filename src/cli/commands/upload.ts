// upload: sends files for tasks to read, and says the ids.
import path from 'node:path'
import type { Command } from 'commander'
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'
import { sendFile } from './send-file.ts'

/** An upload goes on over a server that is away for so long. */
const PATIENCE_MS = 60_000

const upload = async (
  c: Console,
  files: string[],
  { name, resume }: { name?: string; resume?: string },
): Promise<void> => {
  if (files.length > 1 && (name !== undefined || resume !== undefined))
    throw usage('--name and --resume go with one file')
  // a server that is not there is told of at once
  await (await c.client()).me({ signal: c.signal })
  const client = await c.client({ patienceMs: c.patienceMs ?? PATIENCE_MS })
  for (const file of files) {
    const sent = await sendFile(c, client, file, {
      name: name ?? path.basename(file),
      ...(resume === undefined ? {} : { resume }),
    })
    if (c.isJson) await c.printJson(sent)
    else await c.print(files.length === 1 ? sent.id : `${sent.id}  ${file}`)
  }
}

export const addUploadCommand = (program: Command, c: Console): void => {
  program
    .command('upload <files...>')
    .description('send files for tasks to read, in pieces that go on after a break; prints the ids')
    .option('--name <name>', 'what the file is called')
    .option('--resume <id>', 'go on with an upload that broke off')
    .action((files: string[], options: { name?: string; resume?: string }) => upload(c, files, options))
}
