// Asks an HTTP API: at a bounded rate, again when that may help, never before the time that its Retry-After names.
// Whoever may submit this kind reaches every host that the server reaches. To allow one API alone, say so in the
// schema: `url: z.url().refine(url => new URL(url).origin === 'https://api.example.com')`.
import { setTimeout as sleep } from 'node:timers/promises'
import { defineKind, z } from 'madhava'

const ANSWER_MAX = 1_000_000

/** An error that `retryOn` lists. Any other is final. */
const tryLater = (why: string, cause?: unknown) =>
  Object.assign(new Error(why, { cause }), { code: 'TRY_LATER' })

/** Retry-After has seconds or a date. Milliseconds since 1970; 0 if it has neither. */
const timeIn = (header: string): number =>
  /^\d{1,9}$/.test(header) ? Date.now() + Number(header) * 1000 : Date.parse(header) || 0

const ask = async (url: string, init: RequestInit) => {
  const response = await fetch(url, { ...init, redirect: 'manual' })
  let answer = ''
  const decoder = new TextDecoder()
  for await (const piece of response.body ?? []) {
    answer += decoder.decode(piece, { stream: true })
    if (answer.length > ANSWER_MAX) break // which also ends the connection
  }
  return { status: response.status, answer, after: response.headers.get('retry-after') ?? '' }
}

export default defineKind({
  summary: 'Asks an HTTP API, and heeds its Retry-After',
  params: z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(8_000), body: z.json().optional() }),
  result: z.strictObject({ status: z.int(), answer: z.string() }),
  example: { url: 'http://127.0.0.1:8000/livez' },
  rate: '5/s',
  maxConcurrency: 4,
  maxAttempts: 10,
  retry: { delaySeconds: 10, retryOn: ['TRY_LATER'] },

  async run({ url, body }, ctx) {
    const headers = { 'content-type': 'application/json', 'idempotency-key': ctx.id } // one key for all attempts
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers }
    let notBefore = z.number().safeParse(ctx.resume).data ?? 0 // as an earlier attempt was told
    for (let asked = 1; ; asked++) {
      const wait = notBefore - Date.now()
      // a short wait keeps the slot; a long one gives it back, and a later attempt looks at the time again
      if (wait > 60_000) throw tryLater(`The API may be asked in ${Math.ceil(wait / 1000)} seconds`)
      if (wait > 0) await sleep(wait, undefined, { signal: ctx.signal })
      const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(30_000)])
      const { status, answer, after } = await ask(url, { ...post, signal }).catch(error => {
        throw ctx.signal.aborted ? ctx.signal.reason : tryLater('The API did not answer', error)
      })
      if (status >= 200 && status < 300) return { status, answer: answer.slice(0, ANSWER_MAX) }
      const problem = `The API answered ${status}: ${answer.slice(0, 500)}`
      if (status < 500 && status !== 429) throw new Error(problem)
      notBefore = timeIn(after)
      ctx.checkpoint(notBefore)
      if (notBefore === 0 || asked === 3) throw tryLater(problem)
    }
  },
})
