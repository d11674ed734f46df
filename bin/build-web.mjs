// Builds the pages of the dashboard: src/dashboard/web/ to the folder that is given, with Vite. The names of the files
// hold a hash of their content, and each file lies there packed too, so that the server packs nothing.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib'
import { build } from 'vite'

/** Below, a packed answer saves nothing. */
const LEAST_BYTES = 1024
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const folder = process.argv[2]
if (folder === undefined) throw new Error('Which folder?')

await build({
  root: path.join(root, 'src', 'dashboard', 'web'),
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: 'warn',
  build: {
    outDir: folder,
    emptyOutDir: true,
    // the Content-Security-Policy allows nothing inline, so nothing may be put into the page
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // with light-dark() and AbortSignal.any(), all of spring 2024
    target: ['chrome123', 'firefox124', 'safari17.5'],
    reportCompressedSize: false,
  },
})

for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!/\.(?:js|css|svg)$/.test(name)) continue
  const file = path.join(folder, name)
  const bytes = readFileSync(file)
  if (bytes.length < LEAST_BYTES) continue
  const params = { [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY }
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }))
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
}
