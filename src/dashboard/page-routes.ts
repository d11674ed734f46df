// The pages: one document for every page's address, and the files that it loads. What it shows it asks for by itself.
import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type DashboardEnv, requireSession } from './access/caller.ts'
import { DEEDS, mayDo } from './access/rights.ts'
import { languageOf, themeOf } from './page-look.ts'
import { OWN_TASKS, PAGES } from './web/paths.ts'
import type { WebFile, WebFiles } from './web-files.ts'

/**
 * The page's document. Theme, language, rights and the kinds that are left out stand in it from the start, so that nothing flickers and nothing is
 * asked for that would be refused.
 */
export const sendPage = (
  c: Context<DashboardEnv>,
  { html, kindsLeftOut = [] }: Pick<WebFiles, 'html' | 'kindsLeftOut'>,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> => {
  const who = c.get('who')
  const may = who ? DEEDS.filter(deed => mayDo(who, deed)).join(' ') : ''
  const without = kindsLeftOut.length === 0 ? '' : ` data-without="${kindsLeftOut.join(' ')}"`
  const root = `<html lang="${languageOf(c)}" data-theme="${themeOf(c)}"${without} data-may="${may}">`
  return c.html(html.replace(/<html[^>]*>/, root), status)
}

/** The packed form that the client takes, by its header. */
const packingOf = (file: WebFile, accepts: string): { bytes: Buffer; encoding?: string } => {
  const takes = (name: string): boolean =>
    new RegExp(`(?:^|[ ,])${name}(?! *; *q=0(?:\\.0*)?(?:,|$))`).test(accepts)
  if (file.br && takes('br')) return { bytes: file.br, encoding: 'br' }
  if (file.gzip && takes('gzip')) return { bytes: file.gzip, encoding: 'gzip' }
  return { bytes: file.plain }
}

/** The files are the same for everyone, and needed for the login too. */
export const createFileRoutes = ({ files }: Pick<WebFiles, 'files'>): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  app.get('/assets/:name', (c, next) => {
    const file = files.get(`/assets/${c.req.param('name')}`)
    if (!file) return next()
    const { bytes, encoding } = packingOf(file, c.req.header('accept-encoding') ?? '')
    // the name changes with the content
    c.header('Cache-Control', 'public, max-age=31536000, immutable')
    c.header('Vary', 'Accept-Encoding')
    c.header('Content-Type', file.type)
    if (encoding) c.header('Content-Encoding', encoding)
    return c.body(new Uint8Array(bytes))
  })
  return app
}

export const createPageRoutes = (web: Pick<WebFiles, 'html' | 'kindsLeftOut'>): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  app.get('/', (c, next) => {
    const who = c.get('who')
    return who && !mayDo(who, 'look') ? c.redirect(OWN_TASKS, 303) : next()
  })
  for (const { path, needs } of PAGES) app.get(path, requireSession(needs), c => sendPage(c, web))
  return app
}
