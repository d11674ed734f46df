// Fetches a page and parses it: the work of the kind `parse`, with its time limit and its progress.
import { askRobots } from './ask-robots.ts'
import { LENGTHS, tidy } from './bounds.ts'
import { buildTree } from './build-tree.ts'
import { isHtmlType, looksLikeHtml, readContentType } from './content-type.ts'
import { decodePage } from './decode.ts'
import { type Extracted, extract } from './extract.ts'
import { type Fetched, fetchPage, type Stage } from './fetch-page.ts'
import { createGuard, type Guard } from './guard.ts'
import type { Page, PageParams } from './page-schema.ts'
import { ParseError } from './parse-error.ts'
import { type Resolve, systemResolve } from './resolve.ts'

const MAX_REDIRECTS = 10

export interface Around {
  /** The entries of PARSE_ALLOW. */
  allow: readonly string[]
  signal: AbortSignal
  /** Percent and a note. */
  progress(percent: number, note: string): void
  /** In place of the system's resolver and of this machine's guard. For tests. */
  resolve?: Resolve
  guard?: Guard
}

/** Percent at the beginning of each stage, and how much receiving and parsing add. */
const BEGIN: Record<Stage, number> = { resolving: 0, connecting: 5, waiting: 10, receiving: 15 }
const RECEIVING = 55
const PARSING = { begin: 70, size: 30 }

const NOTHING: Extracted = {
  title: null,
  description: null,
  canonical: null,
  language: null,
  headings: [],
  links: [],
  images: [],
  leftOut: { headings: 0, links: 0, images: 0 },
  words: 0,
}

type Parsed = Extracted & Pick<Page, 'charset' | 'truncated'>

/** Null: it is no page. */
const parse = async (
  { url, headers, body }: Fetched,
  { signal, progress }: { signal: AbortSignal; progress: Around['progress'] },
): Promise<Parsed | null> => {
  const { type, charset: label } = readContentType(headers['content-type'])
  if (body === null || (type === null && !looksLikeHtml(body.bytes))) return null
  progress(PARSING.begin, 'parsing')
  const { text, charset } = decodePage(body.bytes, label)
  const { document, tooMuch } = await buildTree(text, {
    signal,
    onShare: share => progress(PARSING.begin + (PARSING.size - 1) * share, 'parsing'),
  })
  const found = await extract(document, url, signal)
  const header = headers['content-language']
  return {
    ...found,
    language: found.language ?? (header === undefined ? null : tidy(header, LENGTHS.language) || null),
    charset,
    truncated: tooMuch ?? (body.truncated ? 'bytes' : null),
  }
}

const run = async (params: PageParams, around: Around, signal: AbortSignal): Promise<Page> => {
  const begun = performance.now()
  const guard = around.guard ?? createGuard(around.allow)
  const resolve = around.resolve ?? systemResolve
  let reached = 0
  // a redirect begins anew, the bar does not
  const progress: Around['progress'] = (percent, note) => {
    reached = Math.max(reached, percent)
    around.progress(reached, note)
  }
  const common = { guard, resolve, signal }
  const fetched = await fetchPage(new URL(params.url), {
    ...common,
    maxBytes: params.maxBytes,
    maxRedirects: MAX_REDIRECTS,
    wantsBody: ({ headers }) => {
      const { type } = readContentType(headers['content-type'])
      return type === null || isHtmlType(type)
    },
    ...(params.robots ? { onHop: askRobots(common) } : {}),
    onStage: (stage, url, share) =>
      progress(BEGIN[stage] + RECEIVING * (share ?? 0), `${stage} ${url.host.slice(0, 100)}`),
  })
  const fetchedAt = performance.now()
  const parsed = await parse(fetched, { signal, progress })
  const { dnsMs, connectMs, firstByteMs, downloadMs } = fetched.timing
  const whole = Math.round
  return {
    url: params.url,
    finalUrl: fetched.url.href,
    status: fetched.status,
    redirects: fetched.redirects,
    contentType: readContentType(fetched.headers['content-type']).type,
    isHtml: parsed !== null,
    ...(parsed ?? { ...NOTHING, charset: null, truncated: null }),
    bytes: fetched.body?.bytes.length ?? 0,
    timing: {
      dnsMs: whole(dnsMs),
      connectMs: whole(connectMs),
      firstByteMs: whole(firstByteMs),
      downloadMs: whole(downloadMs),
      parseMs: whole(performance.now() - fetchedAt),
      totalMs: whole(performance.now() - begun),
    },
  }
}

/** @throws ParseError; the reason of `around.signal` */
export const parsePage = async (params: PageParams, around: Around): Promise<Page> => {
  const { signal } = around
  signal.throwIfAborted()
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const late = setTimeout(
    () => controller.abort(new ParseError('PARSE_TIMEOUT', `it took longer than ${params.timeoutSeconds} s`)),
    params.timeoutSeconds * 1000,
  )
  try {
    return await run(params, around, controller.signal)
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', stop)
  }
}
