// `madhava dev`: the start, which reads the kinds again whenever one of their files changes. Takes the same options.
import { fileURLToPath } from 'node:url'

const start = new URL('./start.mjs', import.meta.url)
process.argv = [process.execPath, fileURLToPath(start), '--watch', ...process.argv.slice(2)]
await import(start.href)
