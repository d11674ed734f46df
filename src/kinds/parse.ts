// The kind `parse`: fetches a page of the web and says what is on it. docs/parse.md has its rules.
import type { KindTools } from '../core/kind.ts'
import { paramsSchema, resultSchema } from './lib/parse/page-schema.ts'
import { RETRYABLE } from './lib/parse/parse-error.ts'

export default ({ defineKind, settings }: KindTools) =>
  defineKind({
    summary: 'Fetches a page of the web, and reads its title, headings, links, images and words',
    params: paramsSchema,
    result: resultSchema,
    example: { url: 'https://example.org/', robots: false, maxBytes: 4_194_304, timeoutSeconds: 30 },
    maxAttempts: 3,
    retry: { delaySeconds: 2, factor: 3, retryOn: [...RETRYABLE] },
    async run(params, context) {
      // here, not above: the parser takes 100 ms to load, and the other processes need it never
      const { parsePage } = await import('./lib/parse/parse-page.ts')
      return await parsePage(params, {
        allow: settings.parseAllow,
        signal: context.signal,
        progress: (percent, note) => context.progress(percent, note),
      })
    },
  })
