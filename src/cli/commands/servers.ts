// server add, list, use, remove: several servers by name.
import type { Command } from 'commander'
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'
import { isOpenToOthers, readUrl } from '../settings/choose-server.ts'
import { SERVER_NAME } from '../settings/settings-file.ts'
import { layTable } from '../terminal/table.ts'

const unknown = (name: string) => usage(`There is no server with the name ${name}`, 'madhava server list')

export const addServerCommands = (program: Command, c: Console): void => {
  const server = program.command('server').description('the servers that the console knows, by name')
  const answer = (value: object, text: string) => (c.isJson ? c.printJson(value) : c.print(text))

  server
    .command('add <name> <url>')
    .description('give a server a name; the first one is asked from then on')
    .action(async (name: string, address: string) => {
      if (!SERVER_NAME.test(name))
        throw usage(
          'The name of a server has letters, digits and . _ -, at most 63, and begins with a letter or digit',
        )
      const url = readUrl(address)
      let isCurrent = false
      await c.settings.change(settings => {
        const known = Object.hasOwn(settings.servers, name) ? settings.servers[name] : undefined
        // its key is for the address that it was
        if (known && known.url !== url && known.key !== undefined)
          throw usage(
            `${name} is ${known.url}, and somebody is logged in there`,
            `madhava logout --server ${name}, or madhava server remove ${name}`,
          )
        settings.servers[name] = known?.url === url ? known : { url }
        settings.current ??= name
        isCurrent = settings.current === name
      })
      if (isOpenToOthers(url)) c.tell(`${c.err.style.yellow('Warning:')} ${url} is no https.`)
      await answer(
        { name, url, current: isCurrent },
        `${name} is ${url}${isCurrent ? ', and is asked from now on' : ''}.`,
      )
    })

  server
    .command('list', { isDefault: true })
    .description('show them; a star marks the one that is asked')
    .action(async () => {
      const { servers, current } = await c.settings.read()
      const known = Object.entries(servers).map(([name, { url, account, key }]) => ({
        name,
        url,
        account: account ?? null,
        loggedIn: key !== undefined,
        current: name === current,
      }))
      if (c.isJson) return c.printJson(known)
      if (known.length === 0) return c.print('No server has a name yet: madhava server add NAME URL')
      return c.print(
        layTable(
          [
            { head: '' },
            { head: 'NAME', min: 8 },
            { head: 'URL', min: 12 },
            { head: 'LOGIN', min: 6, drop: 1 },
          ],
          known.map(({ name, url, account, loggedIn, current: isCurrent }) => [
            isCurrent ? '*' : '',
            name,
            url,
            loggedIn ? (account ?? 'a key') : '',
          ]),
          c.out.columns,
          c.out.style.bold,
        ).join('\n'),
      )
    })

  server
    .command('use <name>')
    .description('ask this one from now on')
    .action(async (name: string) => {
      await c.settings.change(settings => {
        if (!Object.hasOwn(settings.servers, name)) throw unknown(name)
        settings.current = name
      })
      await answer({ current: name }, `${name} is asked from now on.`)
      if (c.machine.env.MADHAVA_URL) c.tell('MADHAVA_URL is set, and comes first.')
    })

  server
    .command('remove <name>')
    .description('forget a server and its key; logout revokes the key')
    .action(async (name: string) => {
      let hadKey = false
      await c.settings.change(settings => {
        if (!Object.hasOwn(settings.servers, name)) throw unknown(name)
        hadKey = settings.servers[name]?.key !== undefined
        delete settings.servers[name]
        if (settings.current === name) settings.current = null
      })
      await answer({ removed: name }, `${name} is forgotten.`)
      if (hadKey) c.tell('Its key is still valid: revoke it on the dashboard’s page Account.')
    })
}
