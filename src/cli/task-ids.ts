// Ids of tasks as people give them: whole, or the last characters, as lists show them.
import type { Client } from '../client/client.ts'
import { ConsoleError, EXIT, usage } from './exit.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const END = /^[0-9a-f-]{4,35}$/i
const SHORT = 8

/** The last characters, which differ; the first ones are a time. */
export const shortId = (id: string): string => `…${id.slice(-SHORT)}`

/** The whole id. @throws ConsoleError when no task ends so, or several do */
export const wholeId = async (client: Client, text: string, signal: AbortSignal): Promise<string> => {
  const wanted = text
    .trim()
    .replace(/^…|^\.\.\./, '')
    .toLowerCase()
  if (UUID.test(wanted)) return wanted
  if (!END.test(wanted))
    throw usage(`${JSON.stringify(text)} is no id of a task`, 'madhava tasks shows the ids')
  const { tasks } = await client.list({ q: wanted }, { limit: 200, signal })
  const found = tasks.map(({ id }) => id).filter(id => id.endsWith(wanted))
  if (found.length > 1)
    throw usage(`The ids of ${found.length} tasks end in ${wanted}`, found.slice(0, 5).join(' '))
  const [id] = found
  if (id === undefined) throw new ConsoleError(EXIT.notFound, `There is no task whose id ends in ${wanted}`)
  return id
}
