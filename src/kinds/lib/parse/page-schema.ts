// The schemas of the kind `parse`: what it is asked, and what it answers.
import { z } from 'zod'
import { MOST } from './bounds.ts'

const MIB = 1024 ** 2

const isWebUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}

export const paramsSchema = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(2_048)
    .refine(isWebUrl, 'must be a URL of http or https, without a user and a password')
    .describe('the page: http or https, no user and no password in it'),
  robots: z
    .boolean()
    .default(false)
    .describe(
      'whether to ask robots.txt first, and to stop where it disallows the page; false: it is not asked',
    ),
  maxBytes: z
    .int()
    .min(1)
    .max(16 * MIB)
    .default(4 * MIB)
    .describe('of the body, both as it comes and decompressed; the rest is left out'),
  timeoutSeconds: z.number().min(1).max(120).default(30).describe('for everything: redirects, body, parsing'),
})
export type PageParams = z.output<typeof paramsSchema>

const leftOut = z.int().min(0)
const ms = z.int().min(0)

export const resultSchema = z.strictObject({
  url: z.string().describe('as it was asked for'),
  finalUrl: z.string().describe('after all redirects'),
  status: z.int().describe('of HTTP; an answer such as 404 is a result, too'),
  redirects: z.array(z.strictObject({ url: z.string(), status: z.int() })).describe('each hop, in order'),
  contentType: z.string().nullable().describe('as the server says; null: it says none that can be read'),
  isHtml: z.boolean().describe('false: what follows is null or empty, and the body was not read'),
  charset: z.string().nullable().describe('the character set that was used'),
  language: z.string().nullable().describe('as the page says, else the header Content-Language'),
  title: z.string().nullable(),
  description: z.string().nullable(),
  canonical: z.string().nullable().describe('absolute'),
  headings: z.array(z.strictObject({ level: z.int().min(1).max(6), text: z.string() })).max(MOST.headings),
  links: z
    .array(z.strictObject({ url: z.string(), text: z.string(), rel: z.string().nullable() }))
    .max(MOST.links)
    .describe('absolute, of the schemes http, https, mailto, tel and ftp'),
  images: z
    .array(
      z.strictObject({
        url: z.string(),
        alt: z.string().nullable(),
        width: z.int().nullable().describe('as the page says, in pixels'),
        height: z.int().nullable(),
      }),
    )
    .max(MOST.images)
    .describe('absolute, of the schemes http and https'),
  leftOut: z
    .strictObject({ headings: leftOut, links: leftOut, images: leftOut })
    .describe('how many the lists do not have: for want of room, or because of their scheme'),
  words: z.int().min(0).describe('of the text that people see'),
  bytes: z.int().min(0).describe('of the body that were read, decompressed'),
  truncated: z
    .enum(['bytes', 'depth', 'nodes'])
    .nullable()
    .describe(
      'why the end of the page is missing: maxBytes, too deep, or too many elements; null: it is whole',
    ),
  timing: z
    .strictObject({
      dnsMs: ms,
      connectMs: ms.describe('TCP and TLS'),
      firstByteMs: ms.describe('from the request to the headers of the answer'),
      downloadMs: ms,
      parseMs: ms,
      totalMs: ms.describe('with all redirects'),
    })
    .describe('milliseconds; the first four of the last hop'),
})
export type Page = z.output<typeof resultSchema>
