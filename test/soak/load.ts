// The load of the soak: submits tasks of the kind `effect` at a steady rate and cancels some, through a door that may
// be dead at any moment. Each submit has an idempotency key and is tried until it is answered.
import { setTimeout as sleep } from 'node:timers/promises'

/** A task of the kind `effect`, as POST /tasks takes it. */
export interface Body {
  kind: 'effect'
  params: { folder: string; ms: number; spin?: boolean; failures?: number }
  priority: number
  notBefore?: string | null
}

export interface Load {
  /** Ids that were answered with 202 or 200, and so were promised. */
  readonly accepted: Set<string>
  readonly cancelled: Set<string>
  /** Tasks that take under 0.1 s and are tried once: the moment from which they could run, milliseconds since 1970. */
  readonly quick: Map<string, number>
  /** Tries that got no answer or 503, and answers that must not be. */
  counts(): { tries: number; unanswered: number; wrong: string[] }
  /** Submits one and answers its id, however long it takes. */
  submit(body: Body): Promise<string>
  /** Submits no more; resolves when every submit is answered. */
  stop(): Promise<void>
}

const AGAIN_MS = 200
const ANSWER_MS = 15_000

export const startLoad = (options: {
  api: string
  folder: string
  perSecond: number
  random: () => number
}): Load => {
  const { api, folder, perSecond, random } = options
  const accepted = new Set<string>()
  const cancelled = new Set<string>()
  const quick = new Map<string, number>()
  const underWay = new Set<Promise<unknown>>()
  const wrong: string[] = []
  let tries = 0
  let unanswered = 0
  let keys = 0
  let stopped = false

  /** Until there is an answer that settles it. */
  const ask = async (where: string, init: RequestInit, settles: readonly number[]): Promise<Response> => {
    for (;;) {
      tries += 1
      try {
        const response = await fetch(`${api}${where}`, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })
        if (settles.includes(response.status)) return response
        if (response.status !== 503)
          wrong.push(`${init.method} ${where}: ${response.status} ${await response.text()}`)
      } catch {
        // no door, or one that died over it: nobody can know whether it was done
      }
      unanswered += 1
      await sleep(AGAIN_MS)
    }
  }
  const submit = async (body: Body): Promise<string> => {
    const response = await ask(
      '/tasks',
      {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': `soak-${++keys}` },
      },
      [200, 202],
    )
    const { id, createdAt } = (await response.json()) as { id: string; createdAt: string }
    accepted.add(id)
    const { ms, failures = 0 } = body.params
    if (ms < 100 && failures === 0) quick.set(id, Date.parse(body.notBefore ?? createdAt))
    return id
  }
  const cancel = async (id: string): Promise<void> => {
    cancelled.add(id)
    await ask(`/task/${id}`, { method: 'DELETE' }, [200, 202, 409])
  }

  /** Mostly short ones, some long, some that spin, fail, or are due later. */
  const draw = (): Body => {
    const [size, way] = [random(), random()]
    const ms = size < 0.7 ? random() * 50 : size < 0.97 ? 200 + random() * 1_300 : 4_000 + random() * 8_000
    return {
      kind: 'effect',
      params: { folder, ms: Math.round(ms), spin: way < 0.1, failures: way > 0.9 ? 1 : 0 },
      priority: Math.floor(random() * 10),
      notBefore: way > 0.85 && way < 0.9 ? new Date(Date.now() + random() * 10_000).toISOString() : null,
    }
  }
  const one = async (): Promise<void> => {
    const id = await submit(draw())
    if (random() > 0.04) return
    await sleep(random() * 3_000)
    await cancel(id)
  }

  const timer = setInterval(() => {
    // a door that is dead for long must not gather thousands that fall upon it at once
    if (stopped || underWay.size > perSecond * 30) return
    const work = one().finally(() => underWay.delete(work))
    underWay.add(work)
  }, 1_000 / perSecond)

  return {
    accepted,
    cancelled,
    quick,
    counts: () => ({ tries, unanswered, wrong }),
    submit,
    async stop() {
      stopped = true
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}
