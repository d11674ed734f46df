// The built files of the pages, read into memory once: what Vite made of web/, with the packed twin of each.
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the build puts them, seen from the sources and from dist/ alike. */
export const WEB_FOLDER = fileURLToPath(new URL('../../dist/web', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface WebFile {
  type: string
  plain: Buffer
  /** The same, packed; missing for small files. */
  br?: Buffer
  gzip?: Buffer
}

export interface WebFiles {
  /** By the path of its address. The name has a hash of the content. */
  files: ReadonlyMap<string, WebFile>
  /** The one page, before `data-theme` and `lang` are filled in. */
  html: string
  /** The kinds that pages are for and that this server does not have; left out: it has all. */
  kindsLeftOut?: readonly string[]
  /** The addresses that pages without scripts need. */
  style: string
  icon: string
}

const addressIn = (html: string, rel: string): string =>
  new RegExp(`<link rel="${rel}"[^>]*? href="([^"]+)"`).exec(html)?.[1] ?? ''

/** @throws Error when the pages have not been built */
export const readWebFiles = async (folder: string = WEB_FOLDER): Promise<WebFiles> => {
  const html = await readFile(path.join(folder, 'index.html'), 'utf8').catch((cause: unknown) => {
    throw new Error('The pages of the dashboard are not built: npm run build', { cause })
  })
  const assets = path.join(folder, 'assets')
  const names = await readdir(assets)
  const read = async (name: string): Promise<Buffer> => readFile(path.join(assets, name))
  const files = new Map<string, WebFile>()
  for (const name of names) {
    const type = TYPES[path.extname(name)]
    if (type === undefined) continue
    files.set(`/assets/${name}`, {
      type,
      plain: await read(name),
      ...(names.includes(`${name}.br`) ? { br: await read(`${name}.br`) } : {}),
      ...(names.includes(`${name}.gz`) ? { gzip: await read(`${name}.gz`) } : {}),
    })
  }
  return { files, html, style: addressIn(html, 'stylesheet'), icon: addressIn(html, 'icon') }
}
