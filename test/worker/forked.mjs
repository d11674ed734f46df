// A module that a kind forks: it says that it runs by a file, whose path is its second argument, and stays for a while.
import { writeFileSync } from 'node:fs'

writeFileSync(process.argv[3] ?? '', '')
setTimeout(() => {}, 600_000)
