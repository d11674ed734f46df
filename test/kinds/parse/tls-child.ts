// A process of rude.test.ts, in which Node trusts another certificate: fetches each URL that it is given, and prints what
// comes of it. `name.test` is 127.0.0.1 here.
import { fetchFrom } from './rude-server.ts'

const found: string[] = []
for (const url of process.argv.slice(2))
  found.push(
    await fetchFrom(url, ['127.0.0.1'], { resolve: async () => [{ address: '127.0.0.1', family: 4 }] }).then(
      ({ title }) => title ?? '',
      ({ code }: { code: string }) => code,
    ),
  )
const left = process.getActiveResourcesInfo().filter(type => /TCP|TLS|Timeout/.test(type))
console.log(JSON.stringify({ found, left }))
